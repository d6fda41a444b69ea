// Building the page. Texts come from pages, models and clients: they only ever become text nodes.

/** An element with these children; strings become text. */
export function element(name, ...children) {
  const node = document.createElement(name);
  node.append(...children);
  return node;
}

/** The element with this id. */
export const byId = (id) => document.getElementById(id);

/** Where a key is asked for; the browser comes back from there. */
export const signInAddress = () => `/sign-in?to=${encodeURIComponent(location.pathname)}`;

/** The service wants a key: asks for it, and comes back. */
export function signIn() {
  location.assign(signInAddress());
}

// Builds elements. Texts come from pages, models and clients, so they only become text nodes.

/** An element with these children; strings become text. */
export function element(name, ...children) {
  const node = document.createElement(name);
  node.append(...children);
  return node;
}

/** The element with this id. */
export const byId = (id) => document.getElementById(id);

/** The address of the sign-in page, which leads back here. */
export const signInAddress = () => `/sign-in?to=${encodeURIComponent(location.pathname)}`;

/** Leaves for the sign-in page, because the service requires a key. */
export function signIn() {
  location.assign(signInAddress());
}

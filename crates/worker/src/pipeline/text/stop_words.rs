//! Words that hold sentences together, question words among them, and words that are weak evidence.

/// Whether `word` (lower case) is a stop word of the language; English ones count everywhere they
/// are known, because names of that language turn up in every other.
#[must_use]
pub fn contains(language: &str, word: &str) -> bool {
    list(language)
        .split_ascii_whitespace()
        .any(|stop| stop == word)
}

/// The stop words of a language, between spaces; none of one that is not known.
#[must_use]
pub fn list(language: &str) -> &'static str {
    match language {
        "en" => EN,
        "de" => DE,
        "fr" => FR,
        "es" => ES,
        "it" => IT,
        "nl" => NL,
        "pt" => PT,
        "zh" | "ja" => CJK,
        _ => "",
    }
}

/// Whether a term (lower case, English, stemmed) says little about what a question is after.
#[must_use]
pub fn is_weak(term: &str) -> bool {
    WEAK.split_ascii_whitespace().any(|weak| weak == term)
}

const EN: &str = "a an the and or but nor if then than so as of at by for with about against between \
into through during before after above below to from up down in out on off over under again \
further once here there all any both each few more most other some such no not only own same too \
very s t can will just don should now i me my we our you your he him his she her it its they them \
their what which who whom whose this that these those am is are was were be been being have has \
had having do does did doing would could ought might must may shall when where why how much many \
tell explain describe please show give define meaning mean means definition let us i'm i've does \
doesn isn aren wasn without within upon while because until also vs versus there's what's who's \
long old often far is-it happen happens happened one's get gets got";

const DE: &str = "der die das den dem des ein eine einer eines einem einen und oder aber wenn dann als so \
wie was wer wen wem wessen wann wo wohin woher warum wieso weshalb welche welcher welches welchen \
welchem wieviel wieviele viel viele ist sind war waren bin bist sein seid wird werden wurde wurden \
worden hat haben hatte hatten kann können konnte soll sollte muss müssen darf dürfen mag will wollen \
ich du er sie es wir ihr mich dich sich uns euch ihm ihn ihnen mein dein sein unser mit von zu zum \
zur im in an am auf aus bei beim für über unter vor nach durch gegen ohne um bis zwischen nicht kein \
keine auch nur noch schon sehr mehr man dass daß ob denn da dort hier dieser diese dieses diesem \
diesen jene alle etwas nichts bedeutet bedeuten heißt erkläre bitte gibt";

const FR: &str = "le la les l un une des du de d et ou mais si que qu qui quoi dont où quand comment pourquoi \
combien quel quelle quels quelles est sont était étaient être été a ont avait avoir ai as je tu il \
elle nous vous ils elles on me te se lui leur leurs mon ma mes ton ta tes son sa ses notre votre ce \
cet cette ces c n ne pas plus au aux en dans sur sous par pour avec sans entre vers chez y là ici \
très aussi comme fait faire peut peux doit explique signifie j m s t";

const ES: &str = "el la los las un una unos unas y e o u pero si que qué quien quién quienes quiénes cual cuál \
cuales cuáles cuando cuándo donde dónde como cómo cuanto cuánto cuanta cuánta cuantos cuántos cuantas \
cuántas por porque para con sin sobre entre de del al a en es son era eran ser sido está están fue \
fueron ha han había hay tiene tienen tener puede pueden debe yo tú él ella ello nosotros ellos ellas \
me te se le les lo mi tu su sus nuestro este esta esto estos estas ese esa eso no ni muy más también \
ya desde hasta significa explica hace";

const IT: &str = "il lo la i gli le un uno una e o ma se che chi cui quando dove come perché quanto quanta quanti \
quante quale quali cosa è sono era erano essere stato ha hanno avere di a da in con su per tra fra \
del dello della dei degli delle al allo alla ai agli alle dal nel nella nei sul sulla io tu lui lei \
noi voi loro mi ti si ci vi non più anche questo questa questi queste quello quella l un' dell all";

const NL: &str = "de het een en of maar als dan dat die dit deze wat wie waar wanneer waarom hoe welke welk hoeveel \
is zijn was waren ben bent worden wordt werd heeft hebben had kan kunnen moet moeten zal ik jij je \
hij zij ze wij we jullie hun haar van voor met zonder op in aan bij uit naar over onder tussen te \
tot niet geen ook nog er om door";

const PT: &str = "o a os as um uma uns umas e ou mas se que quem qual quais quando onde como porque quanto quanta \
quantos quantas é são era eram ser foi foram está estão tem têm ter há de do da dos das em no na \
nos nas por pelo pela para com sem sobre entre eu tu ele ela nós eles elas não mais também este \
esta isto esse essa isso";

const CJK: &str =
    "です ます とは なに なん どこ いつ だれ です か? は何 何で 什么 是什 什麼 是什 怎么 多少 哪里";

const WEAK: &str = "use work make way thing differ differenc need want know best good better new \
exampl compar comparison type function mani number call chang creat current latest main avail number \
purpos find set becom take come go put start year time cost first last support list name";

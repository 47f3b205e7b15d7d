"""The look: colours by what they mean, and the style of a page. Plots, pages and the studio share them."""

# Okabe and Ito's colours for eight classes, in their order from orange on; black comes last, as ink. Yellow is
# darkened on paper, where it could not be seen.
CLASSES = ("#e69f00", "#56b4e9", "#009e73", "#b8a600", "#0072b2", "#d55e00", "#cc79a7", "#1b1f25")
TOKENS = {
    "ink": "#1b1f24",
    "dim": "#5d6672",
    "line": "#dfe3e8",
    "paper": "#ffffff",
    "soft": "#f5f6f8",
    "accent": "#0b62b8",
    "good": "#0a7d4f",
    "warn": "#a05a00",
    "bad": "#b3261e",
} | {f"c{i}": colour for i, colour in enumerate(CLASSES)}
_DARK = {
    "ink": "#e8eaed",
    "dim": "#9aa3ae",
    "line": "#31363d",
    "paper": "#16191d",
    "soft": "#1e2227",
    "accent": "#6db3ff",
    "good": "#57c98d",
    "warn": "#e0a64a",
    "bad": "#ff8a80",
    "c3": "#f0e442",
    "c4": "#3d9be0",
    "c7": "#d5d9de",
}


def _declare(tokens: dict[str, str]) -> str:
    return "".join(f"--{name}:{colour};" for name, colour in tokens.items())


STYLE = (
    f":root{{{_declare(TOKENS)}--r:10px;color-scheme:light dark}}"
    f"@media(prefers-color-scheme:dark){{:root{{{_declare(_DARK)}}}}}"
    """
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-padding-top:16px}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,"Segoe UI",Roboto,"Noto Sans",sans-serif;
 font-variant-numeric:tabular-nums;overflow-wrap:break-word}
main{max-width:1040px;margin:0 auto;padding:24px 20px 64px}
h1,h2,h3{font-size:1.125rem;line-height:1.3;font-weight:650;margin:0}
h2{margin:48px 0 16px}h3{font-size:1rem;font-weight:600;margin:24px 0 8px}
h3 span{font-weight:400}h2+h3,h2+.two h3:first-child,.two>div>:first-child{margin-top:0}
p{margin:0 0 8px;max-width:68ch}
a{color:var(--accent)}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:4px}
header{display:flex;justify-content:space-between;gap:8px 16px;align-items:baseline;flex-wrap:wrap;
 border-bottom:1px solid var(--line);padding-bottom:16px}
header>*,figcaption,td,th,.chip,.card>*{overflow-wrap:anywhere;unicode-bidi:isolate}
small,.dim,footer,figcaption,nav{color:var(--dim)}
small,footer,figcaption,nav,.small{font-size:.8125rem}
.skip{position:absolute;left:-999px}.skip:focus{left:8px;top:8px;background:var(--paper);padding:8px;z-index:2}
.verdict{background:var(--soft);border-radius:var(--r);padding:24px;margin-top:24px}
.verdict>p:first-child{font-size:1.5rem;line-height:1.3;font-weight:650;max-width:32ch;margin-bottom:8px;
 overflow-wrap:anywhere}
.verdict>:last-child{margin-bottom:0}
nav{margin-top:16px;display:flex;flex-wrap:wrap;gap:0 16px}nav a{color:inherit;padding:4px 0}
.two{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);gap:16px 32px;align-items:start;
 margin:16px 0}.two+.two{margin-top:32px}
.scroll{overflow-x:auto}.scroll>svg{min-width:48rem}
table{border-collapse:collapse;width:100%;margin-bottom:8px}
th,td{padding:8px 16px 8px 0;border-bottom:1px solid var(--line);vertical-align:middle;text-align:left;font-weight:400;
 min-width:5rem}
th:last-child,td:last-child{padding-right:0}
thead th{color:var(--dim);vertical-align:bottom}thead th:first-child{color:var(--ink)}
.num{text-align:right;white-space:nowrap;min-width:0}
.bar{width:32%;min-width:72px}.bar span{display:flex;justify-content:space-between}.bar span i{font-style:normal}
tbody th{max-width:44ch;min-width:7rem}
.rail{position:relative;height:18px;min-width:72px}
.rail:before{content:"";position:absolute;left:0;right:0;top:8px;height:2px;background:var(--line)}
.rail i{position:absolute}
.span{top:5px;height:8px;background:var(--accent);opacity:.34;border-radius:4px;min-width:2px}
.point{width:4px;margin-left:-2px;top:2px;height:14px;background:var(--accent);border-radius:2px}
.base{margin-left:-1px;border-left:2px dotted var(--dim);top:0;height:18px}
svg{width:100%;height:auto;display:block;font:13px system-ui,"Segoe UI",Roboto,"Noto Sans",sans-serif;
 stroke-linejoin:round;stroke-linecap:butt}
.figure{white-space:nowrap}
.suspect{min-width:0}.suspect p{font-size:.8125rem;line-height:1.3;margin:4px 0 0;overflow-wrap:anywhere}
.suspect s{color:var(--dim)}.suspect:has([open]){grid-column:1/-1}
.key{padding:0;margin:8px 0;list-style:none;display:flex;flex-wrap:wrap;gap:4px 16px}
.key svg,.key i{display:inline-block;width:10px;height:10px;margin-right:8px;border-radius:2px}
.chips{padding:0;margin:8px 0;list-style:none;display:flex;flex-wrap:wrap;gap:8px}
.chip{border:1px solid var(--line);border-radius:999px;padding:2px 12px}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,232px),1fr));gap:16px;margin:16px 0}
.card{border:1px solid var(--line);border-radius:var(--r);padding:16px;min-width:0}
.card>b,.card>span{display:block;font-weight:600}.card>span{font-weight:400}
details>summary{cursor:pointer}.more{margin:8px 0}.more>summary{color:var(--accent);padding:4px 0}
.warning{border-left:4px solid var(--warn);background:var(--soft);border-radius:4px;padding:12px 16px;margin:8px 0;
 max-width:72ch}
.warning b{color:var(--warn)}
figure{margin:0;min-width:0}
.wall{display:grid;grid-template-columns:repeat(auto-fill,minmax(96px,1fr));gap:8px;margin:8px 0 16px;align-items:start}
.card .wall{grid-template-columns:repeat(4,minmax(0,1fr));gap:4px;margin:8px 0 0}
.tile summary{list-style:none;border-radius:4px}.tile summary::-webkit-details-marker{display:none}
.tile img,.gone{display:block;width:100%;aspect-ratio:1;object-fit:contain;background:var(--soft);border-radius:4px}
.tile summary img{cursor:zoom-in}.tile [open] img{cursor:zoom-out;aspect-ratio:auto;max-height:80vh}
.gone{display:grid;place-items:center;text-align:center;padding:4px;overflow:hidden;color:var(--dim);
 border:1px dashed var(--dim);font-size:.75rem;line-height:1.2;overflow-wrap:anywhere}
.tile figcaption{line-height:1.3;margin-top:4px;display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:2;
 overflow:hidden}
.card .tile figcaption{display:none}
.tile:has([open]){grid-column:1/-1;max-width:320px}.tile:has([open]) figcaption{display:block;overflow:visible}
.matrix a{display:block;margin:-4px 0;padding:4px 8px;border-radius:4px;color:var(--ink);
 background:color-mix(in srgb,var(--accent) var(--shade),transparent)}
.matrix a.wrong{background:color-mix(in srgb,var(--bad) var(--shade),transparent)}
.cell{display:none}.cell:target{display:block}
.map{margin:16px 0}.map>div{position:relative}.map img{display:block;width:100%;border-radius:var(--r);background:#fff}
.map div i{position:absolute;transform:translate(-50%,-50%);font-style:normal;font-size:.8125rem;line-height:1.2;
 padding:2px 8px;border-radius:999px;background:var(--paper);color:var(--ink);border:1px solid var(--dim);
 white-space:nowrap}
.map div i b{font-weight:650}
footer{margin-top:64px;border-top:1px solid var(--line);padding-top:16px;overflow-wrap:anywhere}
@media(max-width:760px){.two{grid-template-columns:minmax(0,1fr)}.verdict{padding:16px}.map div i span{display:none}
 h2{margin-top:40px}th,td{padding-right:8px}}
@media(max-width:480px){.cards{grid-template-columns:repeat(2,minmax(0,1fr));gap:8px}.card{padding:8px}}
@media print{body{font-size:11pt}main{max-width:none;padding:0}nav,.skip{display:none}
 figure,tr,.card,.warning,svg{break-inside:avoid}h2,h3{break-after:avoid}
 .more::details-content{content-visibility:visible;block-size:auto}
 *{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
"""
)

"""The look of a page: calm in light and in dark, narrow and wide, on a screen and on paper.

Colours are variables; every text reaches a contrast of 4.5 on its background in both schemes. Verdicts and statuses are
words first, so that nothing is told by colour alone.
"""

from __future__ import annotations

from typing import Final

__all__ = ["STYLE"]

_LIGHT: Final = """--back:#f7f8f9;--card:#fff;--text:#1b2126;--dim:#59636d;--line:#e1e5e9;--soft:#f1f3f5;
--now:#1f66ad;--then:#7b8794;--good:#17703c;--bad:#b3231b;--doubt:#855600;--band:#eceff2;color-scheme:light"""
_DARK: Final = """--back:#121518;--card:#191d21;--text:#e3e7eb;--dim:#98a3ae;--line:#2a3036;--soft:#20252a;
--now:#6fb1f2;--then:#84909c;--good:#5bc98b;--bad:#ff857b;--doubt:#e3b04b;--band:#262c32;color-scheme:dark"""

_SCHEMES: Final = f"""
:root{{{_LIGHT}}}
@media (prefers-color-scheme:dark){{:root{{{_DARK}}}}}
:root[data-theme=light]{{{_LIGHT}}}
:root[data-theme=dark]{{{_DARK}}}
@media print{{:root:root:root{{{_LIGHT};--back:#fff}}}}
"""
_RULES: Final = """
*{box-sizing:border-box}
html{scroll-padding-top:1rem;-webkit-text-size-adjust:100%}
body{margin:0 auto;padding:1.5rem 1.5rem 4rem;max-width:76rem;background:var(--back);color:var(--text);
  font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;font-variant-numeric:tabular-nums}
h1{font-size:1.65rem;line-height:1.25;margin:.2rem 0 .7rem;font-weight:650;overflow-wrap:anywhere}
h2{font-size:1.12rem;margin:0 0 .6rem;font-weight:650;overflow-wrap:anywhere}
p{margin:.4rem 0}
a{color:var(--now)}
ul{margin:.4rem 0;padding-left:1.2rem}
code,pre{font:13px/1.5 ui-monospace,"SF Mono",Menlo,Consolas,monospace}
code{overflow-wrap:anywhere}
pre{background:var(--soft);border-radius:6px;padding:.6rem .8rem;margin:.4rem 0;white-space:pre-wrap;
  overflow-wrap:anywhere}
small{font-size:.86em;color:var(--dim)}
.dim{color:var(--dim)}.good{color:var(--good)}.bad{color:var(--bad)}.doubt,.doubts{color:var(--doubt)}
header,section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:1.1rem 1.3rem;
  margin:0 0 1.1rem}
header{border-top:4px solid var(--good)}
header.bad{border-top-color:var(--bad)}header.doubt{border-top-color:var(--doubt)}
header.good,header.bad,header.doubt{color:var(--text)}
header.good h1{color:var(--good)}header.bad h1{color:var(--bad)}header.doubt h1{color:var(--doubt)}
.brand{display:flex;justify-content:space-between;align-items:center;margin:0;font-weight:650}
.brand button{font-weight:400;font-size:.86rem;color:var(--dim)}
.brand span{flex:1;margin-left:.4rem;font-weight:400;color:var(--dim)}
.counts{display:flex;flex-wrap:wrap;gap:.3rem 1.4rem;list-style:none;padding:0;margin:.3rem 0 .7rem}
.counts b{font-size:1.25rem;font-weight:650}
.next{background:var(--soft);border-radius:8px;padding:.7rem 1rem;margin:.9rem 0 .2rem}
.next h2{font-size:.95rem;margin:0 0 .2rem}
nav{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;margin:0 .2rem 1rem}
button,input{font:inherit;color:inherit}
button{background:var(--card);border:1px solid var(--line);border-radius:1rem;padding:.15rem .8rem;cursor:pointer}
button:hover{border-color:var(--dim)}
button[aria-pressed=true]{border-color:var(--now);color:var(--now);font-weight:600}
:focus-visible{outline:2px solid var(--now);outline-offset:2px;border-radius:4px}
input[type=search]{background:var(--card);border:1px solid var(--line);border-radius:6px;padding:.2rem .6rem;
  width:16rem;max-width:100%;margin-left:.3rem}
input[type=checkbox]{accent-color:var(--now)}
.filter{display:flex;flex-wrap:wrap;gap:.5rem 1rem;align-items:center;margin:.6rem 0}
.filter[hidden],[hidden]{display:none!important}
.filter>span{display:flex;flex-wrap:wrap;gap:.35rem}
summary{cursor:pointer;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%}
th,td{padding:.28rem .7rem .28rem 0;text-align:right;vertical-align:middle;font-weight:400}
th:first-child,td:first-child{text-align:left}
td:last-child,th:last-child{padding-right:0}
thead th{color:var(--dim);font-size:.86rem;border-bottom:1px solid var(--line);vertical-align:bottom;white-space:nowrap}
thead th button{border:0;background:none;padding:0;border-radius:3px;color:inherit;font-weight:inherit}
thead th button::after{content:"\\2195";display:inline-block;width:1em;opacity:.45}
th[aria-sort=ascending],th[aria-sort=descending]{color:var(--text);font-weight:600}
th[aria-sort=ascending] button::after{content:"\\2191";opacity:1}
th[aria-sort=descending] button::after{content:"\\2193";opacity:1}
.scroll{overflow-x:auto}
.plain th,.plain td{text-align:left;vertical-align:top;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
.plain tbody th{color:var(--dim);min-width:9rem}
.metrics td{white-space:nowrap}
.metrics td:nth-child(6),.metrics th:nth-child(6){text-align:left;width:9.5rem}
.metrics:not(.figures) :is(td,th):nth-child(5){text-align:left;width:9.5rem;padding-left:1.2rem}
.metrics:not(.figures) :is(td,th):nth-child(7){white-space:normal;text-align:left;width:11rem}
.metrics td:nth-child(7){line-height:1.25}
.metrics tbody{border-bottom:1px solid var(--line)}
.metrics .g th{padding-top:.8rem;font-weight:600;overflow-wrap:anywhere}
.metrics .g code{font-weight:400;color:var(--dim);margin-left:.4rem;font-size:12px}
.metrics tr:not(.g)>th{color:var(--text);padding-left:1rem}
.metrics .more td:first-child{text-align:left;padding:.1rem 0 .6rem 1rem;white-space:normal;width:auto}
.metrics .more summary{color:var(--dim);font-size:.9rem}
.a>th,.a>td{color:var(--dim)}
#compared:not(:has(#advice:checked)) .a:not(.r,.i){display:none}
.metrics:not(.figures) td:last-child,.metrics:not(.figures) td:nth-child(4){color:var(--dim)}
.metrics tr.r>td:nth-child(4),.metrics tr.r>td:last-child{color:var(--bad);font-weight:600}
.metrics tr.i>td:nth-child(4),.metrics tr.i>td:last-child{color:var(--good);font-weight:600}
.metrics tr:is(.u,.x,.m)>td:last-child{color:var(--doubt)}
td small{display:block;font-weight:400}
.cases td{border-bottom:1px solid var(--line);vertical-align:top;text-align:left}
.cases td:first-child{width:8.5rem;font-weight:600;white-space:nowrap}
.cases .good>td:first-child{color:var(--good)}.cases .bad>td:first-child{color:var(--bad)}
.cases .doubt>td:first-child{color:var(--doubt)}.cases tr{color:var(--text)}
.cases td:nth-child(3){width:8rem;color:var(--dim)}
.cases td:last-child,.cases th:last-child{width:8rem;text-align:right}
.cases thead th{text-align:left}
.cases details[open]>summary{font-weight:600}
.card{border:1px solid var(--line);border-left:3px solid var(--bad);border-radius:8px;padding:.6rem .9rem;
  margin:.6rem 0}
.card.doubt{border-left-color:var(--doubt)}.card.bad,.card.doubt{color:var(--text)}
.card>summary{font-weight:600}.card>summary b{margin-right:.3rem}
.whyhead{margin:.5rem 0 .1rem;font-weight:600}.why{margin:.2rem 0 .5rem}.why,.whyhead{color:var(--text)}
.why li{margin:.25rem 0}
.why i{font-style:normal;font-weight:600;color:var(--bad)}.why b{font-weight:600}
.fold{margin:.4rem 0}
svg{overflow:hidden;vertical-align:middle}
.defs{position:absolute;width:0;height:0}
.d{width:120px;height:28px}.v{width:120px;height:20px}
.share{display:block;width:100%;height:4px;margin-top:.25rem}.share rect{fill:var(--then)}
.n{fill:var(--now);fill-opacity:.75}.o{fill:var(--then);fill-opacity:.75}
.np,.op{fill:none;stroke-linecap:round;stroke-width:5;stroke-opacity:.75}
.np{stroke:var(--now)}.op{stroke:var(--then)}
.nl,.ol,.thinl{fill:none;stroke:var(--now);stroke-width:2;stroke-linejoin:round}.ol{stroke:var(--then)}
.thinl{stroke-width:1.2;stroke-opacity:.7}
.v path{fill:none;stroke:var(--dim);stroke-width:2}.v .zero{stroke:var(--then);stroke-width:1}
.band{fill:var(--band)}
.zero{fill:none;stroke:var(--then)}
tr.r .v>path{stroke:var(--bad)}tr.i .v>path{stroke:var(--good)}tr.u .v>path{stroke:var(--doubt)}
.grid,.axis{stroke:var(--line);fill:none}.axis{stroke:var(--then)}
.change{stroke:var(--doubt);stroke-dasharray:3 3;fill:none}
figure{display:inline-block;margin:.6rem 1.4rem .4rem 0;vertical-align:top;max-width:100%}
figcaption{font-size:.86rem;color:var(--dim);max-width:340px}
.c{width:340px;max-width:100%;height:auto}
text{font-size:11px;fill:var(--dim)}
.m{text-anchor:middle}.e{text-anchor:end}
.waits{display:block;overflow-x:auto}
.waits text{font-size:12px;fill:var(--text)}.waits .b{font-weight:600}.waits .dim{fill:var(--dim)}
.box{fill:var(--soft);stroke:var(--line)}.box.stuck{stroke:var(--bad);stroke-width:1.5}
.wait{fill:none;stroke:var(--dim);stroke-width:1.5}.wait.stuck{stroke:var(--bad);stroke-width:2}
.tip{fill:var(--dim)}.tip.stuck{fill:var(--bad)}
.legend{font-size:.9rem}
.key{display:inline-block;width:.8rem;height:.8rem;border-radius:2px;margin:0 .35rem -.05rem .2rem}
.key.now{background:var(--now)}.key.then{background:var(--then)}
.key.thr{background:var(--band);border:1px solid var(--line)}
@media screen and (max-width:58rem){
  body{padding:.6rem .6rem 3rem}header,section{padding:.9rem .8rem}
  h1{font-size:1.35rem}
  input[type=search]{width:100%;margin:0}.filter label{width:100%}
  :is(.metrics,.cases),:is(.metrics,.cases) :is(tbody,thead){display:block}
  thead tr{display:flex;flex-wrap:wrap;gap:.2rem .9rem;padding-bottom:.4rem;border-bottom:1px solid var(--line)}
  thead th{border:0}.metrics thead th:not([data-sort]){display:none}
  :is(.metrics,.cases) :is(td,th):nth-child(n){padding:0!important;width:auto!important;text-align:left}
  .metrics tbody tr{display:grid;grid-template-columns:auto auto 1fr;gap:.1rem .5rem;padding:.4rem 0 .5rem}
  .metrics tbody .g,.metrics tbody .more{display:block;padding:.6rem 0 0}
  .metrics tbody .more td:first-child{padding:0 0 .4rem!important}
  .metrics tbody .g th,.metrics tbody .more td{display:block}
  .metrics tbody tr>th{grid-area:1/1/2/3}
  .metrics tbody td:nth-child(4){grid-area:1/3;text-align:right}
  .metrics:not(.figures) tbody td:nth-child(2){grid-area:2/1}
  .metrics:not(.figures) tbody td:nth-child(3){grid-area:2/2}
  .metrics:not(.figures) tbody td:nth-child(3)::before{content:"\u2192\u00a0"}
  .metrics:not(.figures) tbody td:nth-child(7){grid-area:2/3;text-align:right}
  .metrics:not(.figures) tbody td:nth-child(5){grid-area:3/1/4/3}
  .metrics tbody td:nth-child(6){grid-area:3/3;text-align:right}
  .metrics td:empty{display:none}
  .figures tbody td:nth-child(7){display:none}
  .cases tbody tr{display:grid;grid-template-columns:1fr auto;gap:.1rem .8rem;padding:.45rem 0;
    border-bottom:1px solid var(--line)}
  .cases tbody td{border:0}.cases tbody td:nth-child(2){grid-area:2/1/3/3;min-width:0}
  .cases tbody td:nth-child(3){display:none}
  .cases tbody td:nth-child(4){grid-area:1/2}.share{display:none}
  figure{margin-right:0}
}
@media print{
  html{font-size:11.5px}body{max-width:none;padding:0;font-size:11px}code,pre,text{font-size:9px}h1{font-size:20px}h2{font-size:14px}
  .waits text,figcaption,small{font-size:10px}
  header,section{border:0;padding:.4rem 0}
  nav,.filter,#theme,.check{display:none!important}
  tr,figure,li{break-inside:avoid}thead{display:table-header-group}h2,.g{break-after:avoid}
  .metrics:not(.figures) :is(td,th):nth-child(n){width:auto}
  thead th button::after{content:""}
  *{-webkit-print-color-adjust:exact;print-color-adjust:exact}
}
"""

STYLE: Final = _SCHEMES + _RULES

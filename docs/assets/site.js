// What Material adds later: toolbars of code that are no navigation, and wide tables that the keyboard must reach.
new MutationObserver(() => {
  document.querySelectorAll("nav.md-code__nav:not([role])").forEach((nav) => nav.setAttribute("role", "none"));
  document.querySelectorAll(".md-typeset__scrollwrap:not([tabindex])").forEach((wrap) => wrap.setAttribute("tabindex", "0"));
}).observe(document.body, { childList: true, subtree: true });

"use strict";
(function () {
  var field = document.getElementById("find"), count = document.getElementById("found");
  var items = Array.prototype.slice.call(document.querySelectorAll(".item"));
  if (!field || !count) return;
  var texts = items.map(function (item) { return item.textContent.toLowerCase(); });
  var bar = document.getElementById("bar");
  bar.hidden = false;
  function show() {
    var wanted = field.value.trim().toLowerCase(), shown = 0;
    items.forEach(function (item, at) {
      var hit = texts[at].indexOf(wanted) >= 0;
      item.hidden = !hit;
      item.open = hit && wanted.length > 1;
      if (hit) shown += 1;
    });
    count.textContent = shown + " of " + items.length;
  }
  function follow() {
    var place = document.getElementById(location.hash.slice(1));
    if (place && place.tagName === "DETAILS") { place.hidden = false; place.open = true; place.scrollIntoView(); }
  }
  // "/" goes to the search, Escape empties and leaves it, Enter goes to the first hit.
  function key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target !== field) {
      if (event.key === "/") { event.preventDefault(); field.focus(); field.select(); }
    } else if (event.key === "Escape") {
      field.value = ""; show(); field.blur();
    } else if (event.key === "Enter") {
      var first = items.filter(function (item) { return !item.hidden; })[0];
      if (first) first.querySelector("summary").focus();
    }
  }
  field.addEventListener("input", show);
  document.addEventListener("keydown", key);
  window.addEventListener("hashchange", follow);
  show();
  follow();
})();

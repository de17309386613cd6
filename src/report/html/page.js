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
  field.addEventListener("input", show);
  window.addEventListener("hashchange", follow);
  show();
  follow();
})();

"use strict";
(() => {
  const all = [...document.querySelectorAll("details")];
  const changes = [...document.querySelectorAll("details.change")];
  const form = document.getElementById("filters");

  const field = (id) => document.getElementById(id)?.value ?? "";

  const filter = () => {
    const text = field("text").trim().toLowerCase();
    const [provider, label] = [field("provider"), field("label")];
    const boxes = [...form.querySelectorAll("input[name=kind]")];
    const kinds = boxes.filter((box) => box.checked).map((box) => box.value);
    let shown = 0;
    for (const change of changes) {
      const { address, kind, labels, provider: own } = change.dataset;
      const fits =
        address.toLowerCase().includes(text) &&
        (!provider || provider === own) &&
        (!label || labels.includes(` ${label} `)) &&
        (!boxes.length || kind.split(" ").some((one) => kinds.includes(one)));
      change.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    const count = document.getElementById("count");
    const told = shown === changes.length ? `${shown} ${count.dataset.noun}` : `${shown} of ${changes.length} ${count.dataset.noun}`;
    if (count.textContent !== told) count.textContent = told;
  };

  const follow = () => {
    const target = document.getElementById(location.hash.slice(1));
    if (!target?.matches("details.change")) return;
    if (target.hidden) {
      form.reset();
      filter();
    }
    target.open = true;
    target.querySelector("summary").focus();
    target.scrollIntoView();
  };

  const openAll = (open) => changes.filter((change) => !change.hidden).forEach((change) => { change.open = open; });

  if (form) {
    form.hidden = false;
    form.addEventListener("input", filter);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(filter));
    document.getElementById("open").addEventListener("click", () => openAll(true));
    document.getElementById("close").addEventListener("click", () => openAll(false));
    filter();
  }
  addEventListener("hashchange", follow);
  follow();

  let closed = [];
  addEventListener("beforeprint", () => {
    closed = all.filter((one) => !one.open);
    closed.forEach((one) => { one.open = true; });
  });
  addEventListener("afterprint", () => {
    closed.forEach((one) => { one.open = false; });
    closed = [];
  });
})();

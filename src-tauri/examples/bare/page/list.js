// As little as a list of 1,000,000 rows can be: those in sight are elements, which are used again. 32 px a row, so that the
// whole of it is just within the highest element that WebKit lays out.
const ROWS = 1_000_000;
const ROW_PX = 32;
const list = document.getElementById("list");
const space = document.getElementById("space");
space.style.height = `${ROWS * ROW_PX}px`;
const elements = [];

function show() {
  const first = Math.max(0, Math.floor(list.scrollTop / ROW_PX) - 4);
  const count = Math.min(ROWS - first, Math.ceil(list.clientHeight / ROW_PX) + 8);
  while (elements.length < count) {
    const element = document.createElement("div");
    element.className = "row";
    space.append(element);
    elements.push(element);
  }
  for (let n = 0; n < count; n++) {
    elements[n].textContent = `Record ${first + n}, changed 3 days ago`;
    elements[n].style.transform = `translateY(${(first + n) * ROW_PX}px)`;
  }
}

list.addEventListener("scroll", show);
addEventListener("resize", show);
show();

// What a browser has and the DOM of the tests lacks.

import { clearMocks } from "@tauri-apps/api/mocks";
import { cleanup, configure } from "@testing-library/svelte";
import { afterEach, vi } from "vitest";

configure({
  // A loaded machine is slow, not wrong.
  asyncUtilTimeout: 10_000,
  // The window hides nothing from readers by style, and looking at every ancestor's style takes most of a test's time.
  defaultHidden: true,
  getElementError: (message) => new Error(message ?? ""),
});

globalThis.ResizeObserver ??= class {
  observe() {}
  unobserve() {}
  disconnect() {}
};
globalThis.matchMedia ??= ((query: string) => ({
  matches: query.includes("reduced-motion"),
  addEventListener() {},
  removeEventListener() {},
})) as unknown as typeof matchMedia;
HTMLDialogElement.prototype.showModal ??= function (this: HTMLDialogElement) {
  this.open = true;
};
HTMLDialogElement.prototype.close ??= function (this: HTMLDialogElement) {
  this.open = false;
};
Element.prototype.scrollIntoView ??= () => {};
Element.prototype.animate ??= () =>
  ({ finished: Promise.resolve(), cancel() {}, finish() {}, onfinish: null }) as unknown as Animation;

document.title = "Coffer";

afterEach(() => {
  cleanup();
  vi.useRealTimers();
  clearMocks();
});

// Starts the window. In the mock build a make-believe engine answers first; in the program's own build that branch is
// not there at all (tests/bundle.test.ts).
import "./fonts.css";
import "./tokens.css";
import "./base.css";
import { mount } from "svelte";
import App from "./views/App.svelte";

async function start(): Promise<void> {
  if (import.meta.env.MODE === "mock") {
    const { startMock } = await import("./dev/mock.ts");
    startMock();
  }
  const target = document.getElementById("app");
  if (target) {
    mount(App, { target });
  }
}

void start();

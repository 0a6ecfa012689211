// Compiles the message files into src/words, if they have changed since: declaring two thousand functions takes a while, and
// building, checking and testing each need them.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));

const languages = readdirSync(at("."))
  .filter((name) => name.endsWith(".json"))
  .sort();
const digest = createHash("sha256");
for (const path of [...languages, "compile.mjs", "../project.inlang/settings.json", "../package-lock.json"]) {
  digest.update(readFileSync(at(path)));
}
const wanted = digest.digest("hex");
const stamp = at("../src/words/.compiled");
if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted) {
  const { compile } = await import("@inlang/paraglide-js");
  // What is stopped half-way is not taken for compiled, also if the files are put back to what they were.
  rmSync(stamp, { force: true });
  await compile({
    project: at("../project.inlang"),
    outdir: at("../src/words"),
    strategy: ["globalVariable", "baseLocale"],
    emitTsDeclarations: true,
  });
  writeFileSync(stamp, wanted);
}

// Shortcuts as the keys are labelled where the person's language is spoken.
import * as m from "$words";

/** `Ctrl+L` as it stands on the keyboard: “Strg+L” in German. */
export function keyWords(keys: string): string {
  return keys.replace("Ctrl", m.key_ctrl());
}

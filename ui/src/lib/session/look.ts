// Puts the chosen theme and language on the page.
import type { AppState, Settings } from "$lib/api/commands.ts";
import { getLocale, setLocale } from "$words/runtime";

/** The theme as an attribute; none means the system's. */
export function applyTheme(theme: Settings["theme"]): void {
  if (theme === "system") {
    delete document.documentElement.dataset.theme;
  } else {
    document.documentElement.dataset.theme = theme;
  }
}

/** Sets the language; says whether it is another than before. The engine says which the system's is. */
export function applyLanguage(language: Settings["language"], system: AppState["system_language"]): boolean {
  const locale = language === "system" ? system : language;
  const before = getLocale();
  setLocale(locale, { reload: false });
  document.documentElement.lang = locale;
  return before !== locale;
}

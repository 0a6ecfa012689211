// Puts the chosen theme and language on the page.
import type { Settings } from "$lib/api/commands.ts";
import { baseLocale, getLocale, isLocale, setLocale } from "$words/runtime";

/** The theme as an attribute; none means the system's. */
export function applyTheme(theme: Settings["theme"]): void {
  if (theme === "system") {
    delete document.documentElement.dataset.theme;
  } else {
    document.documentElement.dataset.theme = theme;
  }
}

/** Sets the language; says whether it is another than before. */
export function applyLanguage(language: Settings["language"]): boolean {
  const system = navigator.languages.map((tag) => tag.split("-")[0]).find((tag) => isLocale(tag));
  const locale = language === "system" ? (system ?? baseLocale) : language;
  const before = getLocale();
  setLocale(locale as typeof baseLocale, { reload: false });
  document.documentElement.lang = locale;
  return before !== locale;
}

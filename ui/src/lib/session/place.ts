/** Where the window can be. */
export type Place =
  | "records"
  | "expiring"
  | "secrets"
  | "subject"
  | "people"
  | "exposures"
  | "keys"
  | "backups"
  | "log"
  | "health"
  | "settings";

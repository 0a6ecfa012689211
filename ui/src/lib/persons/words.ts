// Where a person was found, in words.
import type { SubjectPlaceView } from "$lib/api/types.ts";
import { formatCount } from "$lib/locale/format.ts";
import * as m from "$words";

/** What kind of place it is, with its name if it has one. */
export function placeWords(place: SubjectPlaceView): string {
  const name = place.name ?? "";
  switch (place.place) {
    case "title":
      return m.subject_place_title();
    case "kind":
      return m.subject_place_kind();
    case "field_name":
      return m.subject_place_field_name({ name });
    case "field_value":
      return place.masked ? m.subject_place_masked({ name }) : m.subject_place_field({ name });
    case "tag":
      return m.subject_place_tag({ name });
    case "notes":
      return m.subject_place_notes();
    case "attachment_name":
      return m.subject_place_attachment_name({ name });
    case "attachment_text":
      return m.subject_place_attachment({ name });
  }
}

/** In which versions it is. */
export function versionWords(versions: number[]): string {
  const [first, last] = [versions[0], versions.at(-1)];
  if (first === undefined || last === undefined) return "";
  return first === last
    ? m.subject_version({ version: formatCount(first) })
    : m.subject_versions({ first: formatCount(first), last: formatCount(last) });
}

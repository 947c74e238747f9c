const MAX = 100

/** The part of a text that can stand in a URL; empty when nothing can. */
export function slugOf(text: string): string {
  const folded = text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replace(/['’]/g, '')
  const slug = folded.replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '')
  return slug.slice(0, MAX).replace(/-+$/, '')
}

/** A slug for a text, with a suffix when the plain one is taken or the text has no Latin letters. */
export function makeSlug(text: string, kind: string, suffix = ''): string {
  const plain = slugOf(text)
  if (plain && !suffix) return plain
  return [plain || kind, suffix].filter(Boolean).join('-')
}

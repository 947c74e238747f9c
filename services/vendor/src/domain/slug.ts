const MAX = 100

/** A slug out of a name: `Café Nila & Sons` → `cafe-nila-sons`. Undefined for a name without Latin letters or digits. */
export function slugOf(name: string): string | undefined {
  const slug = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/['’]/g, '')
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, MAX)
    .replace(/^-+|-+$/g, '')
  return slug || undefined
}

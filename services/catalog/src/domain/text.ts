/** One form for all ways to write the same text, for comparing. */
export const textKey = (text: string): string => text.normalize('NFKC').toLowerCase().trim().replace(/\s+/g, ' ')

/** The words of texts, lower case, without repeats. */
export function tokensOf(...texts: readonly string[]): string[] {
  const words = textKey(texts.join(' ')).match(/[\p{L}\p{M}\p{N}]+/gu) ?? []
  return [...new Set(words)]
}

/** A pattern that matches this text and nothing else. */
export const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')

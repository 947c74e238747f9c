/** A LIKE pattern for texts that start with this one, taken literally. */
export const startsWith = (text: string): string => `${text.replace(/[\\%_]/g, '\\$&')}%`

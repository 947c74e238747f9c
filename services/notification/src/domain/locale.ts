/** The languages messages are written in. */
export type Locale = 'en' | 'bn'

export const DEFAULT_LOCALE: Locale = 'en'

export const toLocale = (text: string | undefined): Locale => (text === 'bn' ? 'bn' : DEFAULT_LOCALE)

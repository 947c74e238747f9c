const EARLIEST = '1900-01-01'

/** True for a `YYYY-MM-DD` that is a day of the calendar, not in the future and not before 1900. */
export function isBirthDate(text: string, now: Date): boolean {
  const date = new Date(`${text}T00:00:00Z`)
  if (Number.isNaN(date.getTime()) || date.toISOString().slice(0, 10) !== text) return false
  return text >= EARLIEST && text <= now.toISOString().slice(0, 10)
}

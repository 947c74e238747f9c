export type KeyTimes = { kid: string; signsFrom: Date }

export type RotationTimes = {
  /** How long a key signs. */
  rotationMs: number
  /** How long a key must be published before it signs: verifiers keep the key set for a while. */
  leadMs: number
  /** How long a key must stay published after it has stopped signing: the life of its last token, and some. */
  overlapMs: number
}

/** The key that signs now: the newest whose time has come. */
export const signingKey = <Key extends KeyTimes>(keys: readonly Key[], now: Date): Key | undefined =>
  [...keys].sort((a, b) => b.signsFrom.getTime() - a.signsFrom.getTime()).find((key) => key.signsFrom <= now)

/**
 * What keeps the key set right: there is always a key that signs, and a next one published well before its turn; a key goes
 * when no token it signed can still be alive. Answers the times new keys sign from, and the keys to remove.
 */
export function planRotation(
  keys: readonly KeyTimes[],
  now: Date,
  times: RotationTimes,
): { create: Date[]; remove: string[] } {
  const sorted = [...keys].sort((a, b) => a.signsFrom.getTime() - b.signsFrom.getTime())
  const current = signingKey(sorted, now)
  const create: Date[] = current ? [] : [now]
  if (!sorted.some((key) => key.signsFrom > now)) {
    const turn = (current?.signsFrom ?? now).getTime() + times.rotationMs
    create.push(new Date(Math.max(turn, now.getTime() + times.leadMs)))
  }
  const remove = sorted
    .filter((_, i) => {
      const successor = sorted[i + 1]
      return successor !== undefined && successor.signsFrom.getTime() + times.overlapMs <= now.getTime()
    })
    .map((key) => key.kid)
  return { create, remove }
}

/** Reads `BDT:50000,USD:1000`: the least payout in minor units, by currency. */
export function parseMinimums(list: string): Map<string, bigint> {
  const entries = list.split(',').filter((entry) => entry.trim() !== '')
  return new Map(
    entries.map((entry) => {
      const match = /^([A-Z]{3}):([0-9]{1,15})$/.exec(entry.trim())
      if (!match) throw new Error('must be "<currency>:<minor units>" entries, comma-separated')
      return [match[1]!, BigInt(match[2]!)] as const
    }),
  )
}

/** Until when payouts rest because their destination changed; undefined when they do not. */
export function frozenUntil(bankChangedAt: Date | null, holdHours: number, now: Date): Date | undefined {
  if (!bankChangedAt) return undefined
  const until = new Date(bankChangedAt.getTime() + holdHours * 3_600_000)
  return until > now ? until : undefined
}

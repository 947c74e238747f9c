/** How many approved reviews gave one, two, … five stars. */
export type Stars = [one: number, two: number, three: number, four: number, five: number]

export const noStars: Stars = [0, 0, 0, 0, 0]

export const countOf = (stars: Stars): number => stars.reduce((sum, count) => sum + count, 0)

/** 0 when there are none. */
export function averageOf(stars: Stars): number {
  const count = countOf(stars)
  return count === 0 ? 0 : stars.reduce((sum, n, i) => sum + n * (i + 1), 0) / count
}

/** The histogram of counts per rating; ratings nobody gave may be left out. */
export function starsOf(counts: Iterable<readonly [rating: number, count: number]>): Stars {
  const stars: Stars = [...noStars]
  for (const [rating, count] of counts) stars[rating - 1] = count
  return stars
}

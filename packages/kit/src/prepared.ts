import pg from 'pg'

/** Texts beyond these are sent unprepared: lists of varying length would fill every connection with plans used once. */
const MAX_STATEMENTS = 300

/**
 * A client class for one pool whose parameterised statements are prepared once per connection, from a text's second use on:
 * PostgreSQL then parses and plans them no more, which is a good part of what a short statement costs. When a migration changes
 * what a prepared `select *` answers, PostgreSQL refuses it (`isStalePlan`) and everything is prepared anew, under new names.
 */
export function createPreparingClient(): typeof pg.Client {
  let generation = 0
  const uses = new Map<string, { name: string; count: number }>()
  const nameOf = (text: string): string | undefined => {
    let known = uses.get(text)
    if (!known) {
      if (uses.size >= MAX_STATEMENTS) return undefined
      known = { name: `s${generation}_${uses.size}`, count: 0 }
      uses.set(text, known)
    }
    known.count += 1
    return known.count > 1 ? known.name : undefined
  }
  const query = pg.Client.prototype.query as (this: pg.Client, ...args: unknown[]) => Promise<unknown>
  class PreparingClient extends pg.Client {}
  PreparingClient.prototype.query = function (this: pg.Client, ...args: unknown[]) {
    const [text, values] = args
    const name = args.length === 2 && typeof text === 'string' && Array.isArray(values) && values.length && nameOf(text)
    if (!name) return query.apply(this, args)
    return query.call(this, { name, text, values }).catch((error: unknown) => {
      if (isStalePlan(error)) {
        generation += 1
        uses.clear()
      }
      throw error
    })
  } as pg.Client['query']
  return PreparingClient
}

/** True when a migration changed the shape of a prepared statement's answer: the same again, a moment later, succeeds. */
export const isStalePlan = (error: unknown): boolean =>
  error instanceof pg.DatabaseError &&
  error.code === '0A000' &&
  error.message === 'cached plan must not change result type'

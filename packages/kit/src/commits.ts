import {
  type DatabaseConnection,
  type Driver,
  PostgresDialect,
  type PostgresDialectConfig,
  PostgresDriver,
  type Transaction,
} from 'kysely'

/** How a transaction ended that was not rolled back; `unknown` when the answer to its commit was lost. */
export type Ending = 'committed' | 'unknown'

const works = new WeakMap<DatabaseConnection, ((ending: Ending) => void)[]>()

/** Runs `work` once the transaction has ended, unless it is rolled back. `work` must not throw. */
export const afterCommit = (
  // biome-ignore lint/suspicious/noExplicitAny: every service has its own schema
  tx: Transaction<any>,
  work: (ending: Ending) => void,
): Promise<void> =>
  tx.getExecutor().provideConnection(async (connection) => {
    const known = works.get(connection)
    if (known) known.push(work)
    else works.set(connection, [work])
  })

class CommitDriver extends PostgresDriver {
  override async commitTransaction(connection: DatabaseConnection): Promise<void> {
    const waiting = works.get(connection) ?? []
    works.delete(connection)
    let ending: Ending = 'unknown'
    try {
      await super.commitTransaction(connection)
      ending = 'committed'
    } finally {
      for (const work of waiting) work(ending)
    }
  }

  override async rollbackTransaction(connection: Parameters<PostgresDriver['rollbackTransaction']>[0]): Promise<void> {
    works.delete(connection)
    await super.rollbackTransaction(connection)
  }
}

/** Kysely's PostgreSQL, whose transactions know `afterCommit`. */
export class CommitDialect extends PostgresDialect {
  readonly #config: PostgresDialectConfig

  constructor(config: PostgresDialectConfig) {
    super(config)
    this.#config = config
  }

  override createDriver(): Driver {
    return new CommitDriver(this.#config)
  }
}

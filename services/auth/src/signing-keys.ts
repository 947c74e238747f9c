import type { JwkSet } from '@haat/kit/auth'
import { newId } from '@haat/kit/id'
import { deriveKey, open, seal } from '@haat/kit/seal'
import { type CryptoKey, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose'
import { type Kysely, sql } from 'kysely'
import type { Database } from './db/schema.ts'
import { planRotation, signingKey } from './domain/rotation.ts'
import type { Secret } from './domain/secrets.ts'
import { TOKEN_LIFE_MS } from './tokens.ts'

/** The keys that sign access tokens, shared by all instances through the database. */
export type SigningKeys = {
  /** The key that signs now. */
  current(): Promise<{ kid: string; key: CryptoKey }>
  /** The public keys, as verifiers get them. */
  published(): Promise<JwkSet>
  /** Makes and removes keys as their times come, and seals all with the first secret. */
  rotate(): Promise<void>
}

const RELOAD_MS = 60_000
// Verifiers keep the key set for five minutes; twice that, and every one of them has seen a key before it signs.
const LEAD_MS = 600_000
const MARGIN_MS = 60_000

type Loaded = { kid: string; signsFrom: Date; publicJwk: JWK; key: CryptoKey }

export function createSigningKeys(options: {
  db: Kysely<Database>
  secrets: readonly Secret[]
  rotationDays: number
  now: () => Date
}): SigningKeys {
  const { db, now } = options
  const times = { rotationMs: options.rotationDays * 86_400_000, leadMs: LEAD_MS, overlapMs: TOKEN_LIFE_MS + MARGIN_MS }
  const first = options.secrets[0]
  if (!first) throw new Error('KEY_ENCRYPTION_SECRET names no secret')
  const secretKeys = new Map(options.secrets.map(({ id, value }) => [id, deriveKey(value, 'haat.auth.signing-keys')]))
  const sealKey = secretKeys.get(first.id)!
  const placeOf = (kid: string, secretId: string) => `signing_keys:private_sealed:${kid}:${secretId}`
  const openPrivate = (row: { kid: string; secret_id: string; private_sealed: Buffer }): string => {
    const key = secretKeys.get(row.secret_id)
    if (!key)
      throw new Error(`signing key ${row.kid} was sealed with a secret that KEY_ENCRYPTION_SECRET does not list`)
    return open(key, row.private_sealed, placeOf(row.kid, row.secret_id)).toString('utf8')
  }

  let loaded: { keys: Loaded[]; at: number } | undefined
  let loading: Promise<Loaded[]> | undefined
  const read = async (): Promise<Loaded[]> => {
    const rows = await db.selectFrom('signing_keys').selectAll().orderBy('signs_from').execute()
    const keys = await Promise.all(
      rows.map(async (row) => ({
        kid: row.kid,
        signsFrom: row.signs_from,
        publicJwk: JSON.parse(row.public_key) as JWK,
        key: (await importJWK(JSON.parse(openPrivate(row)) as JWK, 'EdDSA')) as CryptoKey,
      })),
    )
    loaded = { keys, at: Date.now() }
    return keys
  }
  const load = async (): Promise<Loaded[]> => {
    if (loaded && Date.now() - loaded.at < RELOAD_MS) return loaded.keys
    loading ??= read().finally(() => {
      loading = undefined
    })
    return loading
  }

  return {
    async current() {
      const key = signingKey(await load(), now())
      if (!key) throw new Error('there is no signing key')
      return key
    },
    async published() {
      return { keys: (await load()).map((key) => key.publicJwk) }
    },
    async rotate() {
      await db.transaction().execute(async (tx) => {
        // Instances that start together make one set of keys.
        await sql`select pg_advisory_xact_lock(hashtext('haat.auth.signing-keys'))`.execute(tx)
        const rows = await tx.selectFrom('signing_keys').selectAll().execute()
        const plan = planRotation(
          rows.map((row) => ({ kid: row.kid, signsFrom: row.signs_from })),
          now(),
          times,
        )
        for (const signsFrom of plan.create) {
          const kid = newId(now().getTime())
          const { publicKey, privateKey } = await generateKeyPair('EdDSA', { extractable: true })
          await tx
            .insertInto('signing_keys')
            .values({
              kid,
              public_key: JSON.stringify({ ...(await exportJWK(publicKey)), kid, alg: 'EdDSA', use: 'sig' }),
              private_sealed: seal(sealKey, JSON.stringify(await exportJWK(privateKey)), placeOf(kid, first.id)),
              secret_id: first.id,
              signs_from: signsFrom,
              created_at: now(),
            })
            .execute()
        }
        if (plan.remove.length) await tx.deleteFrom('signing_keys').where('kid', 'in', plan.remove).execute()
        for (const row of rows.filter((r) => r.secret_id !== first.id && !plan.remove.includes(r.kid)))
          await tx
            .updateTable('signing_keys')
            .set({ private_sealed: seal(sealKey, openPrivate(row), placeOf(row.kid, first.id)), secret_id: first.id })
            .where('kid', '=', row.kid)
            .execute()
      })
      await read()
    },
  }
}

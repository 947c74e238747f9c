import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  sign,
} from 'node:crypto'
import { TOKEN_AUDIENCE, TOKEN_TYPE } from '@haat/kit/auth'
import { createLog } from '@haat/kit/log'
import { openPostgres, sql, withDatabase } from '@haat/kit/postgres'
import { deriveKey, open } from '@haat/kit/seal'
import { each } from '../../each.ts'
import { PASSWORD } from '../market.ts'
import { rpcMethods } from '../rpcs.ts'
import type { Stage } from '../stage.ts'
import type { Named } from '../throwaway.ts'

/** Seals auth's signing keys in this drill, so that it can sign as auth does. */
export const KEY_SECRET = 'a-secret-that-only-this-drill-uses'

type Header = Record<string, unknown>
type Claims = Record<string, unknown>
const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const signed = (header: Header, claims: Claims, key: KeyObject): string => {
  const text = `${part(header)}.${part(claims)}`
  return `${text}.${sign(null, Buffer.from(text), key).toString('base64url')}`
}

/** Auth's own signing key, as whoever holds its database and its secret can read it. */
async function readSigningKey(devnet: Named): Promise<{ kid: string; key: KeyObject; publicJwk: JsonWebKey }> {
  const url = withDatabase(devnet.stores.urls.postgres, `${devnet.prefix}_haat_auth`)
  const { db, close } = openPostgres<never>({ url, poolSize: 1, name: 'drill', log: createLog('drill', 'silent') })
  const { rows } = await sql<{ kid: string; secret_id: string; private_sealed: Buffer; public_key: string }>`
    select kid, secret_id, private_sealed, public_key from signing_keys
     where signs_from <= now() order by signs_from desc limit 1`.execute(db)
  await close()
  const { kid, secret_id, private_sealed, public_key } = rows[0]!
  const place = `signing_keys:private_sealed:${kid}:${secret_id}`
  const jwk = JSON.parse(open(deriveKey(KEY_SECRET, 'haat.auth.signing-keys'), private_sealed, place).toString())
  return { kid, key: createPrivateKey({ key: jwk, format: 'jwk' }), publicJwk: JSON.parse(public_key) as JsonWebKey }
}

/** Tokens that all say they are the first super_admin, and what is wrong with each. */
async function forge(devnet: Named, adminToken: string): Promise<{ right: string; forged: Map<string, string> }> {
  const { kid, key, publicJwk } = await readSigningKey(devnet)
  const [head, body, tail] = adminToken.split('.') as [string, string, string]
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as Claims
  const header = { alg: 'EdDSA', kid, typ: TOKEN_TYPE }
  const other = generateKeyPairSync('ed25519')
  const now = Math.floor(Date.now() / 1000)
  const { exp: _exp, ...endless } = claims
  const { sub: _sub, ...nobody } = claims
  const pem = createPublicKey({ key: publicJwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' }) as string
  const confused = (secret: string | Buffer) => {
    const text = `${part({ ...header, alg: 'HS256' })}.${part(claims)}`
    return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
  }
  const right = (more: Claims = {}, head: Header = {}) => signed({ ...header, ...head }, { ...claims, ...more }, key)
  return {
    right: right(),
    forged: new Map([
      ['alg none', `${part({ alg: 'none', typ: TOKEN_TYPE })}.${body}.`],
      ['alg none under our kid', `${part({ ...header, alg: 'none' })}.${body}.${tail}`],
      ['HS256 with the public key', confused(Buffer.from(publicJwk.x!, 'base64url'))],
      ['HS256 with the public key as PEM', confused(pem)],
      ['a foreign key under our kid', signed(header, claims, other.privateKey)],
      [
        'a foreign key that comes along',
        signed({ ...header, jwk: other.publicKey.export({ format: 'jwk' }) }, claims, other.privateKey),
      ],
      [
        'a foreign key at an address',
        signed({ ...header, jku: 'https://keys.example.com/jwks' }, claims, other.privateKey),
      ],
      ['an unknown kid', right({}, { kid: 'unknown' })],
      ['no kid, foreign key', signed({ alg: 'EdDSA', typ: TOKEN_TYPE }, claims, other.privateKey)],
      ['another type', right({}, { typ: 'JWT' })],
      ['an unknown critical header', right({}, { crit: ['b65'], b65: true })],
      ['expired', right({ iat: now - 1_000, exp: now - 100 })],
      ['not yet valid', right({ nbf: now + 3_600 })],
      ['another audience', right({ aud: 'elsewhere' })],
      ['no audience', right({ aud: undefined })],
      ['another issuer', right({ iss: 'elsewhere' })],
      ['without an end', signed(header, endless, key)],
      ['without a subject', signed(header, nobody, key)],
      [
        'another body under the signature',
        `${head}.${part({ ...claims, aud: TOKEN_AUDIENCE, sub: 'somebody' })}.${tail}`,
      ],
      ['half a signature', `${head}.${body}.${tail.slice(0, 40)}`],
      ['rubbish', 'a.b.c'],
    ]),
  }
}

/** Shows forged tokens to every API and every RPC; a rightly signed one in between proves that they would notice. */
export async function showForgedTokens(
  { devnet, rpcs, lines, worlds, admin }: Stage,
  options: { perToken: number },
): Promise<{ shown: number; tokens: number; faults: string[] }> {
  const faults: string[] = []
  let shown = 0
  const { right, forged } = await forge(devnet, admin.token!)
  const control = await rpcs.call('auth.ListRoles', {}, { token: right })
  if (control.status !== 'OK') faults.push(`a token signed with auth's key is refused: ${control.code}`)
  const names = [...rpcMethods().keys()]
  for (const [index, [what, token]] of [...forged].entries()) {
    for (const url of [devnet.urls.storefront, devnet.urls.vendor, devnet.urls.admin]) {
      const answer = await fetch(`${url}/v1/session`, { headers: { authorization: `Bearer ${token}` } })
      shown += 1
      if (answer.status !== 401) faults.push(`${what}: ${url} answers ${answer.status}`)
    }
    // Some RPCs each in the short form, other ones for every token; all of them in the long one.
    const first = (index * options.perToken) % names.length
    const chosen = [...names, ...names].slice(first, first + Math.min(options.perToken, names.length))
    await each(chosen, 8, async (name) => {
      const request = lines.get(name)![0]!.request(worlds.A, { vendorId: undefined } as never)
      for (const who of [{ token }, { serviceToken: token }]) {
        const { status, code } = await rpcs.call(name, request, who)
        shown += 1
        if (status !== 'UNAUTHENTICATED' || !/^token_(invalid|expired)$/.test(code))
          faults.push(`${what}: ${name} answers ${status} ${code}`)
      }
    })
  }
  return { shown, tokens: forged.size, faults }
}

/** A refresh token is stolen and used after its owner used it: everything of that session ends, nothing of another. */
export async function stealRefreshToken({ devnet, residents }: Stage): Promise<string[]> {
  const faults: string[] = []
  const post = async (path: string, body: object) => {
    const answer = await fetch(`${devnet.urls.storefront}/v1/auth/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return { status: answer.status, body: (await answer.json()) as { refreshToken: string; error?: { code: string } } }
  }
  const login = async () =>
    (await post('login', { email: residents.B.buyer.email, password: PASSWORD, session: 'token' })).body.refreshToken
  const refresh = (refreshToken: string) => post('refresh', { refreshToken })
  const elsewhere = await login()
  const first = await login()
  const second = (await refresh(first)).body.refreshToken
  const third = (await refresh(second)).body.refreshToken
  const thief = await refresh(first)
  if (thief.status !== 401 || thief.body.error?.code !== 'refresh_token_reused')
    faults.push(`a stolen refresh token is answered ${thief.status} ${thief.body.error?.code}`)
  for (const token of [first, second, third])
    if ((await refresh(token)).status !== 401) faults.push('a token of a session whose token was stolen still works')
  if ((await refresh(elsewhere)).status !== 200) faults.push('another session of the same person ended too')
  return faults
}

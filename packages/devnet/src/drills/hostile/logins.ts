import { randomUUID } from 'node:crypto'
import { median } from '../authorization/timing.ts'
import { PASSWORD } from '../market.ts'
import type { Stage } from '../stage.ts'

type Said = { status: number; text: string; retryAfter: string | null; ms: number }

const post = async (base: string, path: string, body: object): Promise<Said> => {
  const started = performance.now()
  const answer = await fetch(`${base}/v1/auth/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const text = (await answer.text()).replace(/"requestId":"[^"]*"/, '')
  return { status: answer.status, text, retryAfter: answer.headers.get('retry-after'), ms: performance.now() - started }
}

const register = async (base: string): Promise<string> => {
  const email = `${randomUUID()}@example.com`
  const { status } = await post(base, 'register', { email, password: PASSWORD, name: 'Somebody', session: 'token' })
  if (status !== 201) throw new Error(`cannot register: ${status}`)
  return email
}
const stranger = () => `${randomUUID()}@example.com`
const wrong = (email: string) => ({ email, password: 'a-wrong-password', session: 'token' })

/** Guesses are cut short, whoever is guessed at; what is said about an address does not tell whether it has an account. */
export async function guessPasswords({ devnet }: Stage): Promise<string[]> {
  const faults: string[] = []
  const base = devnet.urls.storefront
  const known = await register(base)
  const unknown = stranger()
  const guesses = 8
  const said: Record<'known' | 'unknown', Said[]> = { known: [], unknown: [] }
  for (let guess = 0; guess < guesses; guess++) {
    said.known.push(await post(base, 'login', wrong(known)))
    said.unknown.push(await post(base, 'login', wrong(unknown)))
  }
  const shown = (all: Said[]) => all.map(({ status, text }) => `${status} ${text.replace(/\d+/g, 'n')}`)
  if (JSON.stringify(shown(said.known)) !== JSON.stringify(shown(said.unknown)))
    faults.push(`guesses at a known address are answered otherwise: ${shown(said.known)} / ${shown(said.unknown)}`)
  const last = said.known.at(-1)!
  if (last.status !== 429 || !Number(last.retryAfter)) faults.push(`guess ${guesses} is answered ${last.status}`)
  const right = await post(base, 'login', { ...wrong(known), password: PASSWORD })
  if (right.status !== 429) faults.push(`the right password after ${guesses} wrong ones is answered ${right.status}`)
  const neighbour = await post(base, 'login', { ...wrong(await register(base)), password: PASSWORD })
  if (neighbour.status !== 200) faults.push(`somebody else cannot sign in meanwhile: ${neighbour.status}`)

  const forgot = [
    await post(base, 'forgot-password', { email: known }),
    await post(base, 'forgot-password', { email: unknown }),
  ]
  if (forgot[0]!.status !== forgot[1]!.status || forgot[0]!.text !== forgot[1]!.text)
    faults.push(
      `a forgotten password is answered ${forgot[0]!.status} for a known address, ${forgot[1]!.status} otherwise`,
    )
  return faults
}

export type LoginTimes = { what: string; knownMs: number; unknownMs: number; factor: number }

const FACTOR = 1.25

/** Times sign-ins and requests for a new password, for known and unknown addresses in turns. */
export async function timeLogins({ devnet }: Stage, calls: number): Promise<{ times: LoginTimes[]; faults: string[] }> {
  const base = devnet.urls.storefront
  const times: LoginTimes[] = []
  for (const [what, ask] of [
    ['login with a wrong password', (email: string) => post(base, 'login', wrong(email))],
    ['forgot-password', (email: string) => post(base, 'forgot-password', { email })],
  ] as const) {
    const taken = { known: [] as number[], unknown: [] as number[] }
    for (let call = 0; call < calls; call++) {
      const email = await register(base)
      const both = [
        async () => taken.known.push((await ask(email)).ms),
        async () => taken.unknown.push((await ask(stranger())).ms),
      ]
      for (const one of call % 2 ? both : both.reverse()) await one()
    }
    const [knownMs, unknownMs] = [median(taken.known), median(taken.unknown)]
    times.push({ what, knownMs, unknownMs, factor: Math.max(knownMs, unknownMs) / Math.min(knownMs, unknownMs) })
  }
  const faults = times
    .filter(({ factor }) => factor > FACTOR)
    .map(
      ({ what, knownMs, unknownMs }) => `${what}: ${knownMs.toFixed(1)} ms known, ${unknownMs.toFixed(1)} ms unknown`,
    )
  return { times, faults }
}

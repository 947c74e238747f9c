import { execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import pg from 'pg'
import { CONCURRENCY, type Measured, percentiles } from '../bench.ts'
import { makeDatabase } from '../seed/database.ts'

const DATABASE = 'bench_floor'
const script = fileURLToPath(new URL('order.sql', import.meta.url))

export type OrderFloor = { measure(seconds: number): Promise<Measured> }

/**
 * What Postgres alone does when the whole sale is one transaction that somebody wrote by hand: by pgbench where there is one,
 * else by a process of ours that plays the same script through pg's pool.
 */
export async function openOrderFloor(postgresUrl: string): Promise<OrderFloor> {
  const url = await prepare(postgresUrl)
  const hasPgbench = await promisify(execFile)('pgbench', ['--version']).then(
    () => true,
    () => false,
  )
  return {
    async measure(wanted) {
      const { latencies, seconds } = await (hasPgbench ? runPgbench(url, wanted) : runPool(url, wanted))
      return {
        perSecond: latencies.length / seconds,
        ...percentiles(latencies),
        notes: [
          hasPgbench ? 'by pgbench' : "no pgbench here: the same script through pg's pool, in a process of its own",
        ],
        faults: [],
      }
    },
  }
}

async function prepare(postgresUrl: string): Promise<URL> {
  const url = await makeDatabase(postgresUrl, DATABASE)
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(readFileSync(new URL('order-schema.sql', import.meta.url), 'utf8'))
  await client.query('vacuum analyze')
  await client.end()
  return new URL(url)
}

type Played = { latencies: number[]; seconds: number }

async function runPgbench(url: URL, seconds: number): Promise<Played> {
  const folder = mkdtempSync(join(tmpdir(), 'haat-pgbench-'))
  try {
    const connection = ['-h', url.hostname, '-p', url.port, '-U', url.username, url.pathname.slice(1)]
    const options = ['--no-vacuum', '--protocol=prepared', '-c', String(CONCURRENCY), '-j', '1', '-T', String(seconds)]
    await promisify(execFile)('pgbench', [...options, '-f', script, '--log', ...connection], {
      cwd: folder,
      env: { ...process.env, PGPASSWORD: decodeURIComponent(url.password) },
    })
    // One line per transaction: client, number, microseconds, …
    const lines = readdirSync(folder).flatMap((file) => readFileSync(join(folder, file), 'utf8').trim().split('\n'))
    return { latencies: lines.map((line) => Number(line.split(' ')[2]) / 1000).sort((a, b) => a - b), seconds }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function runPool(url: URL, seconds: number): Promise<Played> {
  const file = fileURLToPath(new URL('order-pool.ts', import.meta.url))
  const child = fork(file, [url.href, script, String(CONCURRENCY), String(seconds)], { execArgv: [] })
  const [latencies] = (await once(child, 'message')) as [number[]]
  return { latencies: latencies.sort((a, b) => a - b), seconds }
}

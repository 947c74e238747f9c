// Plays the part of pgbench's script language that order.sql uses, where there is no pgbench.
import { readFileSync } from 'node:fs'
import pg from 'pg'

const [url, file, clients, seconds] = process.argv.slice(2) as [string, string, string, string]
const lines = readFileSync(file, 'utf8').trim().split('\n')
const draws = lines.flatMap((line) => {
  const [, name, from, to] = /^\\set (\w+) random\((\d+), (\d+)\)$/.exec(line) ?? []
  return name ? [{ name, from: Number(from), to: Number(to) }] : []
})
const statements = lines
  .filter((line) => !line.startsWith('\\'))
  .map((line, index) => {
    const names = [...new Set([...line.matchAll(/(?<!:):(\w+)/g)].map(([, name]) => name!))]
    return {
      name: `s${index}`,
      text: names.reduce((text, name, at) => text.replaceAll(`:${name}`, `$${at + 1}::integer`), line),
      values: (drawn: Map<string, number>) => names.map((name) => drawn.get(name)),
    }
  })

const latencies: number[] = []
const pool = new pg.Pool({ connectionString: url, max: Number(clients) })
const until = performance.now() + Number(seconds) * 1000
await Promise.all(
  Array.from({ length: Number(clients) }, async () => {
    const client = await pool.connect()
    while (performance.now() < until) {
      const started = performance.now()
      const drawn = new Map(
        draws.map(({ name, from, to }) => [name, from + Math.floor(Math.random() * (to - from + 1))]),
      )
      for (const { name, text, values } of statements) await client.query({ name, text, values: values(drawn) })
      latencies.push(performance.now() - started)
    }
    client.release()
  }),
)
await pool.end()
process.send!(latencies, undefined, {}, () => process.disconnect())

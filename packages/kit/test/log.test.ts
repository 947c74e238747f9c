import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'

const moduleUrl = new URL('../src/log.ts', import.meta.url).href

/** Runs it in a process of its own; answers the lines that were written. */
function logged(code: string): { lines: Record<string, unknown>[]; status: number | null } {
  const program = `import { createLog, plainLines } from '${moduleUrl}'
const log = createLog('tea', 'info')
${code}`
  const { stdout, status } = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', program], {
    encoding: 'utf8',
  })
  return {
    lines: stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line)),
    status,
  }
}

test.each([
  ['has nothing left to do', '', 0],
  ['says so', 'process.exit(3)', 3],
  ['breaks down', 'throw new Error("x")', 1],
])('no line is lost when the process %s', (_, end, status) => {
  const answer = logged(`for (let n = 0; n < 100; n += 1) log.info({ n }, 'cup'); ${end}`)
  expect(answer.lines.map(({ n }) => n)).toEqual(Array.from({ length: 100 }, (_, n) => n))
  expect(answer.lines[0]).toMatchObject({
    level: 'info',
    service: 'tea',
    msg: 'cup',
    time: expect.stringMatching(/Z$/),
  })
  expect(answer.status).toBe(status)
})

test('a line is out soon, also when no other follows', () => {
  const { lines } = logged(`log.info('first')
await new Promise((resolve) => setTimeout(resolve, 1_000))
process.kill(process.pid, 'SIGKILL')`)
  expect(lines).toEqual([expect.objectContaining({ msg: 'first' })])
})

test('what is personal inside of what is logged is hidden; plain lines are the same but for that', () => {
  const { lines } = logged(`log.info({ user: { id: 'u1', email: 'a@b.c' } }, 'x')
const lines = plainLines(log.child({ part: 'p' }))
lines.info({ status: 200, path: 'a"b\\n', code: undefined }, 'y')
lines.warn({})
lines.debug({ status: 500 }, 'below the level')
lines.info('z')`)
  const tea = { name: 'tea', service: 'tea' }
  expect(lines).toEqual([
    expect.objectContaining({ user: { id: 'u1', email: '[redacted]' }, msg: 'x' }),
    { level: 'info', time: expect.stringMatching(/Z$/), ...tea, part: 'p', status: 200, path: 'a"b\n', msg: 'y' },
    { level: 'warn', time: expect.stringMatching(/Z$/), ...tea, part: 'p' },
    { level: 'info', time: expect.stringMatching(/Z$/), ...tea, part: 'p', msg: 'z' },
  ])
})

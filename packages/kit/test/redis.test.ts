import { createServer, type Socket } from 'node:net'
import { afterAll, expect, test } from 'vitest'
import { createLog } from '../src/log.ts'
import { openRedis } from '../src/redis.ts'
import { eventually } from './http-harness.ts'

const log = createLog('test', 'silent')

// A Redis in small, which can fall silent.
let isSilent = false
const sockets = new Set<Socket>()
const server = createServer((socket) => {
  sockets.add(socket.on('error', () => undefined))
  socket.on('data', (data) => {
    if (isSilent) return
    for (const command of data.toString().split(/(?=\*\d+\r\n)/))
      socket.write(
        /hello/i.test(command)
          ? '%1\r\n+server\r\n+redis\r\n'
          : /info/i.test(command)
            ? '$9\r\nloading:0\r\n'
            : '+OK\r\n',
      )
  })
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
afterAll(() => {
  for (const socket of sockets) socket.destroy()
  server.close()
})

test('a Redis that hangs costs one wait; then commands fail at once until it answers again', async () => {
  const { port } = server.address() as { port: number }
  const redis = openRedis({ url: `redis://127.0.0.1:${port}`, log, commandTimeoutMs: 100 })
  expect(await redis.set('key', 'value')).toBe('OK')

  isSilent = true
  await expect(redis.set('key', 'value')).rejects.toThrow('timed out')
  await eventually(() => expect(redis.status).not.toBe('ready'))
  for (let i = 0; i < 20; i++) {
    const began = performance.now()
    await expect(redis.set('key', 'value')).rejects.toThrow()
    expect(performance.now() - began).toBeLessThan(90)
  }

  isSilent = false
  await eventually(async () => expect(await redis.set('key', 'value')).toBe('OK'))
  redis.disconnect()
})

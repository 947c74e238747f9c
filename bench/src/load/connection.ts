import { connect, type Socket } from 'node:net'

export type Answer = {
  status: number
  /** As it came. */
  body: Buffer
  isGzipped: boolean
}

/** One keep-alive HTTP/1.1 connection, one request at a time: no pipelining, no pool, nothing parsed that is not needed. */
export type Connection = {
  send(request: Buffer): Promise<Answer>
  /** False once either side has closed it. */
  readonly open: boolean
  close(): void
}

const HEAD_END = Buffer.from('\r\n\r\n')
const LAST_CHUNK = Buffer.from('0\r\n\r\n')

/** Connects to a port of this machine. */
export async function openConnection(port: number): Promise<Connection> {
  const socket = await connected(port)
  let received: Buffer | undefined
  let waiting: { resolve(answer: Answer): void; reject(error: Error): void } | undefined
  socket.on('data', (chunk: Buffer) => {
    received = received ? Buffer.concat([received, chunk]) : chunk
    const answer = readAnswer(received)
    if (!answer) return
    received = undefined
    const { resolve } = waiting!
    waiting = undefined
    resolve(answer)
  })
  const fail = (error: Error) => {
    waiting?.reject(error)
    waiting = undefined
  }
  socket.on('error', fail)
  socket.on('close', () => fail(new Error('the connection was closed')))
  return {
    send: (request) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject }
        if (socket.writable) socket.write(request)
        else fail(new Error('the connection is closed'))
      }),
    get open() {
      return socket.writable
    },
    close: () => socket.destroy(),
  }
}

const connected = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true }, () => {
      socket.off('error', reject)
      resolve(socket)
    })
    socket.once('error', reject)
  })

/** The answer when it is there as a whole. */
export function readAnswer(bytes: Buffer): Answer | undefined {
  const headEnd = bytes.indexOf(HEAD_END)
  if (headEnd < 0) return undefined
  const status = Number(bytes.toString('latin1', 9, 12))
  const bodyAt = headEnd + 4
  const head = bytes.toString('latin1', 0, headEnd).toLowerCase()
  const isGzipped = head.includes('\ncontent-encoding: gzip')
  const length = /\ncontent-length: *(\d+)/.exec(head)?.[1]
  if (length !== undefined) {
    const end = bodyAt + Number(length)
    return bytes.length < end ? undefined : { status, body: bytes.subarray(bodyAt, end), isGzipped }
  }
  if (head.includes('\ntransfer-encoding: chunked'))
    return bytes.subarray(-LAST_CHUNK.length).equals(LAST_CHUNK)
      ? { status, body: unchunked(bytes.subarray(bodyAt)), isGzipped }
      : undefined
  return { status, body: Buffer.alloc(0), isGzipped }
}

function unchunked(bytes: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; ; ) {
    const line = bytes.indexOf('\r\n', at)
    const size = Number.parseInt(bytes.toString('latin1', at, line), 16)
    if (!size) return Buffer.concat(parts)
    parts.push(bytes.subarray(line + 2, line + 2 + size))
    at = line + 2 + size + 2
  }
}

export type Request = {
  method?: string
  path: string
  headers?: Record<string, string>
  body?: unknown
}

/** The bytes of a request, which takes gzip as every browser's does. */
export function encode({ method = 'GET', path, headers = {}, body }: Request): Buffer {
  const payload = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body)
  const head = [
    `${method} ${path} HTTP/1.1`,
    'host: 127.0.0.1',
    'accept-encoding: gzip, deflate, br, zstd',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(payload === undefined
      ? []
      : [
          ...(headers['content-type'] ? [] : ['content-type: application/json']),
          `content-length: ${Buffer.byteLength(payload)}`,
        ]),
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${payload ?? ''}`)
}

import { setTimeout as sleep } from 'node:timers/promises'
import { crc32, createDeflate } from 'node:zlib'
import sharp from 'sharp'
import type { Stage } from '../stage.ts'

const CANARY = '<script>canary</script>'

type Upload = { name: string; fileName?: string; type?: string; bytes: Buffer }

/**
 * Hands in files that are not what they say, at the doors that take files: refused, or made harmless. Answers how much memory
 * the worst of them took.
 */
export async function uploadHostileFiles({ devnet, residents, worlds }: Stage): Promise<{
  files: number
  bombMiB: number
  faults: string[]
}> {
  const faults: string[] = []
  const base = `${devnet.urls.vendor}/v1/vendors/${worlds.A.vendorId}`
  const authorization = `Bearer ${residents.A.own.identity.token}`
  const post = (path: string, body?: object) =>
    fetch(`${base}${path}`, {
      method: 'POST',
      headers: { authorization, ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
  /** The image's address when it was taken, else the status that refused it. */
  const upload = async ({ fileName = 'picture.png', type = 'image/png', bytes }: Upload): Promise<string | number> => {
    const opened = await post('/uploads', { fileName, contentType: type, sizeBytes: bytes.length })
    if (!opened.ok) return opened.status
    const { uploadId, url, method, headers } = (await opened.json()) as {
      uploadId: string
      url: string
      method: string
      headers: Record<string, string>
    }
    const sent = await fetch(url, { method, headers, body: new Uint8Array(bytes) })
    if (!sent.ok) return sent.status
    const done = await post(`/uploads/${uploadId}/complete`)
    if (!done.ok) return done.status
    return ((await done.json()) as { fullUrl: string }).fullUrl
  }

  const png = await sharp({ create: { width: 64, height: 64, channels: 3, background: 'teal' } })
    .png()
    .toBuffer()
  const jpeg = await sharp({ create: { width: 64, height: 64, channels: 3, background: 'teal' } })
    .withExif({ IFD0: { Artist: CANARY } })
    .jpeg()
    .toBuffer()
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>`
  const bomb = await bigPng(50_000)

  const refused: Upload[] = [
    { name: 'an SVG with a script', bytes: Buffer.from(svg) },
    { name: 'an SVG after a byte order mark', bytes: Buffer.from(`\uFEFF<?xml version="1.0"?>${svg}`) },
    { name: 'HTML', bytes: Buffer.from(`<!doctype html>${CANARY}`) },
    { name: 'a ZIP archive', bytes: Buffer.from('504b0304140000000000', 'hex') },
    { name: 'a program', bytes: Buffer.from(`MZ${'\0'.repeat(500)}`) },
    { name: 'a PDF', bytes: Buffer.from('%PDF-1.4\n%%EOF\n') },
    { name: 'a PNG that is cut off', bytes: png.subarray(0, 60) },
    { name: 'a JPEG that is cut off', type: 'image/jpeg', bytes: jpeg.subarray(0, jpeg.length >> 1) },
    { name: 'PNG magic and rubbish', bytes: Buffer.concat([png.subarray(0, 8), Buffer.alloc(500, 7)]) },
    { name: 'GIF magic and a script', type: 'image/gif', bytes: Buffer.from(`GIF89a/*${CANARY}*/=1;`) },
    { name: 'nothing', bytes: Buffer.alloc(0) },
  ]
  for (const file of refused) {
    const answer = await upload(file)
    // 400: an empty file is not even announced; 422: it came, and is no picture.
    if (answer !== (file.bytes.length === 0 ? 400 : 422)) faults.push(`${file.name} is answered ${answer}`)
  }

  const harmless: Upload[] = [
    { name: 'a PNG with a script behind it', bytes: Buffer.concat([png, Buffer.from(CANARY)]) },
    {
      name: 'a JPEG with a script in its EXIF and behind it',
      type: 'image/jpeg',
      bytes: Buffer.concat([jpeg, Buffer.from(CANARY)]),
    },
    { name: 'a JPEG called PNG', bytes: jpeg },
    ...[
      '../../../etc/passwd',
      '..\\..\\x.png',
      'a/b/c.png',
      'x.php',
      'con',
      '\u202Egnp.exe',
      `${'x'.repeat(190)}.png`,
    ].map((fileName) => ({ name: `the name ${fileName.slice(0, 30)}`, fileName, bytes: png })),
  ]
  for (const file of harmless) {
    const url = await upload(file)
    if (typeof url === 'number') {
      faults.push(`${file.name} is answered ${url}`)
      continue
    }
    const served = await fetch(url)
    const bytes = Buffer.from(await served.arrayBuffer())
    const { format } = await sharp(bytes).metadata()
    if (bytes.includes('canary')) faults.push(`${file.name}: the script is served`)
    if (format !== 'webp' || served.headers.get('content-type') !== 'image/webp')
      faults.push(`${file.name} is served as ${format}`)
    if (served.headers.get('x-content-type-options') !== 'nosniff') faults.push(`${file.name} may be sniffed`)
    if (!/^\/media\/[\w/-]+\.webp$/.test(new URL(url).pathname)) faults.push(`${file.name} has a say in ${url}`)
  }

  const { result, mebibytes: bombMiB } = await memoryOf(() => upload({ name: 'a bomb', bytes: bomb }))
  if (result !== 422) faults.push(`50,000 × 50,000 pixels are answered ${result}`)
  if (bombMiB > 128) faults.push(`50,000 × 50,000 pixels took ${bombMiB} MiB`)

  const origin = `http://127.0.0.1:${devnet.ports.media}`
  for (const path of [
    '/media/../uploads/x',
    '/media/%2e%2e/%2e%2e/package.json',
    '/media//etc/passwd',
    '/uploads/',
    '/media/%00',
  ])
    if ((await fetch(origin + path)).status < 400) faults.push(`the media server answers ${path}`)

  const papers: [string, string, Buffer, boolean][] = [
    ['HTML as a PDF', 'application/pdf', Buffer.from(`<!doctype html>${CANARY}`), false],
    ['an SVG as a PNG', 'image/png', Buffer.from(svg), false],
    ['a ZIP as a PDF', 'application/pdf', Buffer.from('504b0304140000000000', 'hex'), false],
    ['a PDF with a script', 'application/pdf', Buffer.from(`%PDF-1.4\n${CANARY}\n%%EOF\n`), true],
  ]
  for (const [name, type, bytes, taken] of papers) {
    const fileName = encodeURIComponent('../../etc/paper.pdf')
    const answer = await fetch(`${base}/kyc?docType=other&fileName=${fileName}`, {
      method: 'POST',
      headers: { authorization, 'content-type': type },
      body: new Uint8Array(bytes),
    })
    if (answer.ok !== taken || answer.status >= 500) faults.push(`${name} as a document is answered ${answer.status}`)
  }
  return { files: refused.length + harmless.length + papers.length + 1, bombMiB, faults }
}

/** The work's result, and by how much memory rose above what it was before. */
async function memoryOf<Result>(work: () => Promise<Result>): Promise<{ result: Result; mebibytes: number }> {
  globalThis.gc?.()
  const before = process.memoryUsage.rss()
  let peak = before
  let isOver = false
  const watch = (async () => {
    while (!isOver) {
      peak = Math.max(peak, process.memoryUsage.rss())
      await sleep(5)
    }
  })()
  const result = await work()
  isOver = true
  await watch
  return { result, mebibytes: Math.round((peak - before) / 2 ** 20) }
}

/** A real PNG of so many pixels each way, one bit each: small as a file, huge when somebody reads it. */
async function bigPng(side: number): Promise<Buffer> {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(side, 0)
  header.writeUInt32BE(side, 4)
  header[8] = 1
  const row = 1 + Math.ceil(side / 8)
  const deflate = createDeflate({ level: 9 })
  const pieces: Buffer[] = []
  deflate.on('data', (piece: Buffer) => pieces.push(piece))
  const ended = new Promise((resolve) => deflate.on('end', resolve))
  for (let left = row * side; left > 0; ) {
    const size = Math.min(left, 2 ** 20)
    left -= size
    if (!deflate.write(Buffer.alloc(size))) await new Promise((resolve) => deflate.once('drain', resolve))
  }
  deflate.end()
  await ended
  const magic = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10])
  return Buffer.concat([
    magic,
    chunk('IHDR', header),
    chunk('IDAT', Buffer.concat(pieces)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(data.length)
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, sum])
}

import { fileTypeFromBuffer } from 'file-type'
import sharp, { type Sharp } from 'sharp'
import { type Size, sizes } from './media-store.ts'

const TYPES = new Set(['image/jpeg', 'image/png', 'image/webp', 'image/avif', 'image/gif'])
const MAX_PIXELS = 40_000_000
/** Decoding takes up to 160 MB each. */
const AT_ONCE = 2

sharp.cache(false)
sharp.concurrency(1)

export type ProcessedImage = { width: number; height: number; files: Record<Size, Uint8Array> }

let running = 0
const waiting: (() => void)[] = []

/**
 * Reads an image and makes the three sizes of it anew, so that nothing of the sender's bytes (EXIF, appended files) remains.
 * Undefined when it is not a JPEG, PNG, WebP, AVIF or GIF that can be read, or has more than 40 million pixels.
 */
export async function processImage(bytes: Uint8Array): Promise<ProcessedImage | undefined> {
  const type = await fileTypeFromBuffer(bytes).catch(() => undefined)
  if (!type || !TYPES.has(type.mime)) return undefined
  while (running >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve))
  running++
  try {
    const source = sharp(bytes, { limitInputPixels: MAX_PIXELS, failOn: 'error', pages: 1 })
    // The full size is made from the file, the smaller ones from it.
    const full = await shrink(source.autoOrient(), 'full')
    const [card, thumb] = await Promise.all([shrink(sharp(full.data), 'card'), shrink(sharp(full.data), 'thumb')])
    return {
      width: full.info.width,
      height: full.info.height,
      files: { full: full.data, card: card.data, thumb: thumb.data },
    }
  } catch {
    // What libvips cannot read is the sender's fault, and its messages tell a client nothing.
    return undefined
  } finally {
    running--
    waiting.shift()?.()
  }
}

const shrink = (image: Sharp, size: Size) =>
  image
    .resize({ width: sizes[size], height: sizes[size], fit: 'inside', withoutEnlargement: true })
    .webp({ quality: size === 'full' ? 82 : 78, effort: 3 })
    .toBuffer({ resolveWithObject: true })

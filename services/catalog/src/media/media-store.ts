/** Where and how a client sends a file's bytes. */
export type UploadTarget = { url: string; method: 'PUT'; headers: Record<string, string> }

/**
 * Keeps files under generated keys: `uploads/<id>` as clients sent them (private) and `media/<id>/<size>.webp` as everybody
 * sees them.
 */
export type MediaStore = {
  /** An address that takes exactly this upload until it expires. */
  uploadTarget(id: string, upload: { contentType: string; sizeBytes: number; expiresAt: Date }): Promise<UploadTarget>
  /** What was uploaded; undefined when nothing was, `too_large` above the limit, of which no more is read. */
  readUpload(id: string, maxBytes: number): Promise<Uint8Array | 'too_large' | undefined>
  removeUpload(id: string): Promise<void>
  writeMedia(key: string, bytes: Uint8Array): Promise<void>
  removeMedia(key: string): Promise<void>
  /** What public addresses begin with, without a slash at the end. */
  readonly publicUrl: string
  close(): Promise<void>
}

/** The sizes an image is kept in: the longest edge in pixels. */
export const sizes = { thumb: 160, card: 480, full: 1600 } as const
export type Size = keyof typeof sizes

export const mediaKey = (id: string, size: Size) => `media/${id}/${size}.webp`

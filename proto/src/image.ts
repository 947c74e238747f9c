import { readFileSync } from 'node:fs'
import { createFileRegistry, type FileRegistry, fromBinary } from '@bufbuild/protobuf'
import { type FileDescriptorSet, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'

/** The descriptors of every contract, as `buf build` wrote them; the source of validation, authorization and reflection. */
export const image: FileDescriptorSet = fromBinary(
  FileDescriptorSetSchema,
  readFileSync(new URL('../gen/image.binpb', import.meta.url)),
)

export const registry: FileRegistry = createFileRegistry(image)

// node download.mjs NAME FOLDER: downloads an artifact as `download-artifact` does and fails when its digest is not the announced one.
import { DefaultArtifactClient } from '@actions/artifact'

const [name, path] = process.argv.slice(2)
const client = new DefaultArtifactClient()
const { artifact } = await client.getArtifact(name)
const answer = await client.downloadArtifact(artifact.id, { path, expectedHash: artifact.digest })
console.log(JSON.stringify({ id: artifact.id, size: artifact.size, digest: artifact.digest, mismatch: answer.digestMismatch ?? null }))
process.exit(answer.digestMismatch === false ? 0 : 1)

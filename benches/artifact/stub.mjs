// The artifact service of GitHub, as far as an upload and a download need it: node stub.mjs AZURITE. Prints its address when it listens.
// The bytes go to the blob store at the address AZURITE, over signed addresses; sizes are checked when an artifact is finalized.
import crypto from 'node:crypto';
import http from 'node:http';
import {
  BlobSASPermissions, BlobServiceClient, SASProtocol, StorageSharedKeyCredential, generateBlobSASQueryParameters,
} from '@azure/storage-blob';

const store = process.argv[2];
const account = 'devstoreaccount1';
// The key that Azurite publishes for development.
const key = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';
const credential = new StorageSharedKeyCredential(account, key);
const containerName = 'actions-results';
const container = new BlobServiceClient(`${store}/${account}`, credential).getContainerClient(containerName);
await container.createIfNotExists();

const artifacts = [];

const signed = (blobName, permissions, more = {}) => {
  const query = generateBlobSASQueryParameters({
    containerName, blobName, permissions: BlobSASPermissions.parse(permissions), protocol: SASProtocol.HttpsAndHttp,
    startsOn: new Date(Date.now() - 60_000), expiresOn: new Date(Date.now() + 3_600_000), ...more,
  }, credential);
  return `${store}/${account}/${containerName}/${blobName}?${query}`;
};

const methods = {
  CreateArtifact({ name, mime_type: type = 'application/zip' }) {
    if (artifacts.some((artifact) => artifact.name === name)) return [409, { code: 'already_exists', msg: name }];
    const blob = `${crypto.randomUUID()}.zip`;
    artifacts.push({ name, type, blob, id: String(1001 + artifacts.length) });
    return [200, { ok: true, signed_upload_url: signed(blob, 'cw') }];
  },
  async FinalizeArtifact({ name, size, hash }) {
    const artifact = artifacts.find((one) => one.name === name);
    const { contentLength } = await container.getBlobClient(artifact.blob).getProperties();
    if (String(contentLength) !== String(size)) return [412, { code: 'failed_precondition', msg: `${contentLength} bytes are there` }];
    Object.assign(artifact, { size: String(size), digest: hash, created: new Date().toISOString() });
    return [200, { ok: true, artifact_id: artifact.id }];
  },
  ListArtifacts({ workflow_run_backend_id, workflow_job_run_backend_id, name_filter: name, id_filter: id }) {
    const wanted = artifacts.filter((one) => one.digest && (!name || one.name === name) && (!id || one.id === String(id)));
    return [200, {
      artifacts: wanted.map((one) => ({
        workflow_run_backend_id, workflow_job_run_backend_id, database_id: one.id, name: one.name, size: one.size,
        created_at: one.created, digest: one.digest,
      })),
    }];
  },
  GetSignedArtifactURL({ name }) {
    const { blob, type } = artifacts.find((one) => one.name === name);
    return [200, { signed_url: signed(blob, 'r', { contentType: type, contentDisposition: `attachment; filename="${name}.zip"` }) }];
  },
};

const server = http.createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const answer = methods[request.url.split('/').pop()] ?? (() => [404, { code: 'bad_route', msg: request.url }]);
  let [status, body] = [500, { code: 'internal', msg: '' }];
  try {
    [status, body] = await answer(JSON.parse(Buffer.concat(chunks)));
  } catch (error) {
    body.msg = String(error);
  }
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
});
server.listen(0, '127.0.0.1', () => console.log(`listens on http://127.0.0.1:${server.address().port}`));

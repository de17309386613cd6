// node upload.mjs NAME FOLDER: uploads the files of a folder as `upload-artifact` does.
import fs from 'node:fs';
import path from 'node:path';
import { DefaultArtifactClient } from '@actions/artifact';

const [name, folder] = process.argv.slice(2);
const files = fs.readdirSync(folder).map((file) => path.join(folder, file));
const { size } = await new DefaultArtifactClient().uploadArtifact(name, files, folder);
console.log(JSON.stringify({ files: files.length, size }));

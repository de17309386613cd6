// Logs as a deploy leaves them, always the same: node logs.mjs FOLDER MIB FILES
import fs from 'node:fs';
import path from 'node:path';

const [folder, mib, files] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
let state = 20261124;
const random = (below) => {
  // xorshift32: what is random must be so in the same way every time.
  state ^= state << 13; state ^= state >>> 17; state ^= state << 5;
  return (state >>> 0) % below;
};
const of = (words) => words[random(words.length)];
const hex = (digits) => Array.from({ length: digits / 4 }, () => random(65536).toString(16).padStart(4, '0')).join('');
const words = 'release service unit queue worker session socket buffer retry backend cache volume mount index shard leader token policy'.split(' ');
const some = (count) => Array.from({ length: count }, () => of(words)).join(' ');
const time = (n) => new Date(1764000000000 + n * 137).toISOString();
const kinds = [
  (n) => `[${time(n).slice(0, 19).replace('T', ' ')}Z INFO ${of(['JobRunner', 'Worker', 'StepsRunner'])}] ${some(4 + random(8))} ${hex(16)}\n`,
  () => `TASK [${of(['deploy', 'common', 'web'])} : ${some(3)}] ***\n${of(['ok', 'changed', 'skipping'])}: [web${random(24)}.example.net]\n`,
  (n) => `${time(n)} web${random(24)} systemd[${random(99999)}]: ${some(5 + random(5))}.\n`,
  (n) => `{"ts":"${time(n)}","host":"web${random(24)}","msg":"${some(8)}","trace":"${hex(32)}","ms":${random(90000)}}\n`,
];
const size = Math.floor((mib * 1024 * 1024) / files);
fs.mkdirSync(folder, { recursive: true });
for (let file = 0; file < files; file += 1) {
  let text = '';
  for (let n = file * 100000; text.length < size; n += 1) text += kinds[file % kinds.length](n);
  fs.writeFileSync(path.join(folder, `log-${String(file).padStart(2, '0')}.log`), `${text.slice(0, size - 1)}\n`);
}

import { whole } from '../lib/format.ts';
import type { Run } from '../lib/run.ts';
import { Problem, Status } from './Bits.tsx';

/** The same head on every page of a run but its first. */
export function RunHead({ run, page }: { run: Run; page: string }) {
  const [header, standing] = [run.header.value, run.standing.value];
  if (!header || !standing) return run.problem.value ? <Problem title="This run cannot be shown">{run.problem.value}</Problem> : <p class="empty" role="status">Reading the run …</p>;
  return (
    <div class="page-head">
      <div>
        <h1 id="run-title" class="long">{page} <span class="of">of {header.name}</span></h1>
        <p class="faint"><Status standing={standing} /> version {whole(standing.version)} · {whole(standing.accepted)} updates accepted, {whole(standing.rejected)} rejected, {whole(standing.lost)} lost · {whole(header.clients)} {header.clients === 1 ? 'client' : 'clients'}</p>
      </div>
    </div>
  );
}

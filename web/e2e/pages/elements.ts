import { InboxError } from '../../src/client/error.js';
import { define } from '../../src/elements/define.js';
import { safeUrl } from '../../src/elements/safeUrl.js';
import { FakeSource, notification } from '../../test/elements/fakeSource.js';

/** What the tests drive the page by. */
const stage = { FakeSource, InboxError, notification, safeUrl, source: new FakeSource(), show };

declare global {
  interface Window {
    stage: typeof stage;
    /** Would be set by what must not run. */
    hacked?: unknown;
  }
}

/** Puts a source into both elements. */
function show(source: FakeSource): void {
  stage.source = source;
  document.querySelector('internal-notifications-inbox')!.client = source;
  document.querySelector('internal-notifications-bell')!.client = source;
}

window.stage = stage;
define();
show(stage.source);

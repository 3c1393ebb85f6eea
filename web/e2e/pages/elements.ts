import { InboxError } from '../../src/client/error.js';
import { define } from '../../src/elements/define.js';
import { safeUrl } from '../../src/elements/safeUrl.js';
import { FakeSource, notification } from '../../test/elements/fakeSource.js';

/** The interface through which the tests control the page. */
const stage = { FakeSource, InboxError, notification, safeUrl, source: new FakeSource(), show };

declare global {
  interface Window {
    stage: typeof stage;
    /** Set by any script of a notification that runs, which none must. */
    hacked?: unknown;
  }
}

/** Shows a source in both elements. */
function show(source: FakeSource): void {
  stage.source = source;
  document.querySelector('internal-notifications-inbox')!.client = source;
  document.querySelector('internal-notifications-bell')!.client = source;
}

window.stage = stage;
define();
show(stage.source);

"""The breaks: what a user would lose, the code that is broken, and the tests that have to see it."""

from typing import Final, NamedTuple


class Break(NamedTuple):
    """One break. `tests` are arguments of pytest: where it has to be seen."""

    name: str
    find: str
    put: str
    tests: str


_FIELDS = "tests/films/test_fields.py"
_GOLDENS = "tests/films/test_goldens.py"
_FORMATS = "tests/films/test_formats.py"
_ROLES = "tests/faults/test_roles.py"
_VERBS = "tests/cli/test_verbs.py"
_OPERATIONS = "tests/api/test_operations.py"
_GATE = "tests/unit/test_gate.py"
_MIXERS = '{"none": A_, "fade": A_, "dissolve": B_, "slide": C_, "wipe": D_}'

BREAKS: Final = [
    # What a film looks like.
    Break("dissolve is a fade", _MIXERS, '{"none": A_, "fade": A_, "dissolve": A_, "slide": C_, "wipe": D_}', _GOLDENS),
    Break("slide is a fade", _MIXERS, '{"none": A_, "fade": A_, "dissolve": B_, "slide": A_, "wipe": D_}', _GOLDENS),
    Break("wipe is a fade", _MIXERS, '{"none": A_, "fade": A_, "dissolve": B_, "slide": C_, "wipe": A_}', _GOLDENS),
    Break("no watermark", "await A_(B_.watermark, C_, D_) if B_.watermark else None", "None", _FIELDS),
    Break("watermark in one corner", 'A_ if B_.position.endswith("left") else C_', "A_", _GOLDENS),
    Break("watermark's opacity ignored", "A_(B_, C_, D_, E_, mark.opacity)", "A_(B_, C_, D_, E_, 1.0)", _FIELDS),
    Break("boxed captions are clean", 'A_ == "boxed"', "False", _GOLDENS),
    Break("karaoke captions are clean", 'A_(cue, fps) if style == "karaoke" else B_(cue, fps)', "B_(cue, fps)", _GOLDENS),
    Break("a still's motion ignored", 'motion.chosen("zoom-in" if A_ else B_, C_)', '"zoom-in"', _FIELDS),
    Break("clips never move", "motion.chosen(A_, B_, moves_itself=True)", '"none"', _GOLDENS),
    Break("cover is stretch", "cover = A_(picture, width, height)", "cover = _resize(picture, width, height)", _GOLDENS),
    Break("clips are stretched", 'fit == "cover"', "False", _GOLDENS),
    Break("colours ignored", "[tuple(A_) for color in visual.colors]", "[]", _FIELDS),
    Break("no tone map for HDR", "found.append(_TONE_MAP)", "pass", _GOLDENS),
    Break("right-to-left titles stand at the left", "script(tag) in _RIGHT_TO_LEFT", "False", _GOLDENS),
    Break("one em for every script", "100 * A_.scale * A_.line_height / LINE_HEIGHT", "100.0", _GOLDENS),
    Break("transitions' length ignored", "A_.duration_seconds if B_ else 0.0", "0.5 if B_ else 0.0", _FIELDS),
    Break("the film's title left out of its cards", "A_(plain_text(self.script.title))", 'A_("")', _GOLDENS),
    Break("captions burnt in always", "A_ if B_.captions.burn_in else None", "A_", _FIELDS),
    # What a film sounds like.
    Break("music never ducks", "self.plan.music.duck", "False", _FIELDS),
    Break("music's gain ignored", "A_ + self.plan.music.gain_db - B_", "A_ + -18.0 - B_", _FIELDS),
    Break("the voice's speed ignored", "np.asarray([speed], A_)", "np.asarray([1.0], A_)", _FIELDS),
    Break("a scene's own voice ignored", "voice = scene.voice or request.voice", "voice = request.voice", _FIELDS),
    Break("a recording ignored", "if scene.narration_asset_id:\n    key = A_\n    engine = None\nelse:\n    ...",
          "engine = choose(engines, voice, language)\nkey = cache_key(engine.name, text, voice.model_dump_json())", _FIELDS),
    Break("a recording that is not there is taken", "if scene.narration_asset_id:\n    ...", "pass", "tests/api"),
    Break("scenes are not levelled", "round(video.loudness_lufs - narration.loudness_lufs, 2)", "0.0",
          "tests/films/test_narration.py"),
    # What a file is.
    Break("no chapters", "Extras(A_ if B_ else [], C_)", "Extras([], C_)", _FIELDS),
    Break("no subtitle track", "self.request.captions.track and A_", "False", _FIELDS),
    Break("crf ignored", '{"crf": video.crf, "preset": video.encoder_preset, "profile:v": A_, "x264-params": B_}',
          '{"crf": 23, "preset": video.encoder_preset, "profile:v": A_, "x264-params": B_}', _FIELDS),
    Break("encoder preset ignored", '{"crf": A_, "preset": video.encoder_preset, "profile:v": B_, "x264-params": C_}',
          '{"crf": A_, "preset": "fast", "profile:v": B_, "x264-params": C_}', _FIELDS),
    Break("H.265 raises", 'return {"crf": A_, "preset": B_, "tag:v": "hvc1", "x265-params": C_}',
          'raise RuntimeError("H.265")', _FORMATS),
    Break("VP9 raises", 'return {"crf": A_, "deadline": B_, **...}', 'raise RuntimeError("VP9")', _FORMATS),
    Break("AV1 raises", 'return {"crf": A_, "preset": _AV1_PRESETS[B_], **...}', 'raise RuntimeError("AV1")', _FORMATS),
    Break("Opus raises", 'return {"format": "webm", "c:a": "libopus", "b:a": A_}', 'raise RuntimeError("Opus")', _FORMATS),
    Break("every language is und", "spoken = alpha3(language)", 'spoken = "und"', _FORMATS),
    Break("every clip is cut at its start", "round(visual.start_seconds * fps)", "0", _FIELDS),
    Break("a preset's longest film allowed", "longest is not None and seconds > longest", "False",
          "tests/faults/test_films.py -k cannot_become"),
    # The gate.
    Break("segments' packets not compared", "wrong.append(segment.id)", "pass", _GATE),
    Break("one set of headers not asked for", '_same("one set of headers", A_, "1")', '_same("one set of headers", "1", "1")',
          _GATE),
    Break("brightness not compared", "seen is None or abs(A_) > LUMA_TOLERANCE", "False", _GATE),
    Break("silence passes", "heard < _SILENCE_DB", "False", _GATE),
    Break("loudness not checked", "abs(measured.integrated - target) <= TOLERANCE_LU", "True", _GATE),
    Break("what is no film asks for another upload", "(RenderFailed, AssetUnreadable)", "RenderFailed", _GATE),
    Break("a segment's frames not counted", "len(packets.digests) != frames", "False", "tests/unit/test_gate.py tests/activities"),
    # What a machine does.
    Break("orchestrators serve nothing", 'role in {"all", "orchestrate"}', 'role in {"all"}', _ROLES),
    Break("renderers serve nothing", 'role in {"all", "render"}', 'role in {"all"}', _ROLES),
    Break("every film on S3 fails", "slot = A_(pulse) if store.is_elsewhere else None",
          'if store.is_elsewhere:\n    raise RuntimeError("S3")\nslot = None', _ROLES),
    Break("local copies are not pinned", "if pin is not None:\n    ...", "pass", "tests/unit/test_copies.py tests/faults/test_s3.py"),
    Break("no drain", "timedelta(seconds=configured.drain_seconds)", "timedelta(0)", _ROLES),
    Break("scratch is never swept", "asyncio.create_task(_sweep())", "asyncio.create_task(asyncio.sleep(0))", _ROLES),
    Break("render slots ignored", "configured.render_slots or os.cpu_count() or 1", "os.cpu_count() or 1", _ROLES),
    Break("a full disk is not foreseen", "free < needed", "False", "tests/activities/test_activities.py"),
    Break("the manifest is written first", "key = self._key()",
          'await self.store.put_job_file(self.job_id, "manifest.json", b"{}")\nkey = self._key()',
          "tests/films/test_publication.py"),
    Break("a damaged copy is believed", "await A_(sha256_of, path) != ref.sha256", "False", "tests/unit/test_storage.py"),
    Break("a cancelled ffmpeg lives on", "signal_group(process, signal.SIGTERM)\nsignal_group(process, signal.SIGCONT)", "return", "tests/unit/test_ffmpeg.py"),
    Break("a hung ffmpeg is not found", "quiet > self._stall_seconds", "False", "tests/unit/test_ffmpeg.py"),
    Break("work that stands still is not found", "quiet > self.policy.stall_seconds + 2", "False", "tests/activities"),
    Break("heartbeats without frames", '{"fraction": A_, "message": B_, "frames_done": C_, **...}',
          '{"fraction": A_, "message": B_}', "tests/activities"),
    Break("a second attempt begins at nothing", "last.fraction if last else 0.0", "0.0", "tests/activities"),
    # What a job says.
    Break("a completed job reads 99", '100.0 if status == "completed" else overall(A_, B_)',
          '99.0 if status == "completed" else overall(A_, B_)', "tests/unit/test_status.py"),
    Break("progress falls for who reconnects", "job.progress >= floor or A_", "True", "tests/unit/test_events.py"),
    Break("the end is told again and again", "last is None or not sighting.final or A_", "True", "tests/unit/test_events.py tests/api"),
    Break("the end is told a second time", "if already_told(sighting, last):\n    ...", "pass", "tests/unit/test_events.py"),
    Break("RETRIED under another name", 'self.warn("RETRIED", A_, B_)', 'self.warn("TRIED_AGAIN", A_, B_)',
          "tests/unit/test_documents.py"),
    Break("a stale holder goes on holding", "any(A_ == holder and B_ for one in pending)", "True", _OPERATIONS),
    Break("no page in the Temporal UI", "workflow.set_current_details(self._board.markdown())",
          'workflow.set_current_details("")', _OPERATIONS),
    Break("no summary in the Temporal UI", '_title(started.request) or "Export"', '""', _OPERATIONS),
    Break("no details in the Temporal UI", "_details(job_id, started)", '""', _OPERATIONS),
    Break("requests are not counted", "self._meters.requests.labels(...).inc()", "None", _OPERATIONS),
    Break("JSON logs are for people", "structlog.processors.JSONRenderer()", "structlog.dev.ConsoleRenderer()", _OPERATIONS),
    Break("no correlation id in answers", "MutableHeaders(scope=message)[HEADER] = current", "pass", "tests/api"),
    Break("another request under a used key", "known_digest != digest", "False", "tests/api"),
    Break("nothing is 304", "if_none_match and tag in if_none_match", "False", "tests/faults/test_films.py -k ranges"),
    Break("a range beyond the end is served", "span[1] and int(span[1]) >= size", "False", "tests/faults/test_films.py -k ranges"),
    Break("unsigned webhooks", "Webhook(self.secret).sign(message_id, at, body.decode())", '"v1,x"',
          "tests/workflows/test_aftermath.py"),
    Break("webhooks into private networks", "outside or hidden or A_ or B_", "False", "tests/unit/test_webhooks.py"),
    Break("nobody says that no worker is there", "None if A_ else not missing_queues(seen)", "True",
          "tests/unit/test_status.py"),
    Break("any letters in any voice", "if foreign:\n    ...", "pass", "tests/unit tests/faults/test_films.py -k letters or speech or cannot_become"),
    Break("another text is found in a recording", "sum(fits) / len(fits) < _LEAST_FIT", "False", "tests/unit/test_alignment.py"),
    Break("missing aligners pass unnoticed", 'any(one.unaligned == "not-installed" for one in A_)', "False", "tests/films/test_narration.py"),
    Break("the audience ignored", "A_ if brief.audience else B_", "B_", _FIELDS),
    Break("a pause holds nothing",
          "await workflow.wait_condition(lambda: not self._board.held)\nself._board.scheduled(A_, B_, C_)",
          "self._board.scheduled(A_, B_, C_)",
          "tests/workflows/test_pause.py"),
    Break("a deadline ends nothing", "left <= 0 and not work.done()", "False", "tests/workflows/test_export.py"),
    Break("a second start of a key is a second job", "_ALLOW_DUPLICATE if again else _REJECT_DUPLICATE", "_ALLOW_DUPLICATE", "tests/api"),
    Break("a slow retry is a second attempt", "A_ if again else uuid.uuid4().hex", "uuid.uuid4().hex", "tests/api/test_control.py"),
    Break("files of open jobs are evicted", "min(now, oldest_open or now) - _SETTLED", "now", "tests/unit/test_eviction.py"),
    Break("unknown fields are taken", 'ConfigDict(extra="forbid")', 'ConfigDict(extra="ignore")', "tests/unit/test_intake.py tests/api"),
    # The command.
    Break("cancel pauses", 'self._json("POST", f"/api/jobs/{job_id}/cancel")', 'self._json("POST", f"/api/jobs/{job_id}/pause")', _VERBS),
    Break("pause resumes", 'self._json("POST", f"/api/jobs/{job_id}/pause")', 'self._json("POST", f"/api/jobs/{job_id}/resume")', _VERBS),
    Break("retry cancels", 'self._json("POST", f"/api/jobs/{job_id}/retry")', 'self._json("POST", f"/api/jobs/{job_id}/cancel")', _VERBS),
    Break("the display raises", "_MARKS[step.status]", '_MARKS["gone"]', _VERBS),
    Break("a failed export ends with 0", "FAILED: Final = 1", "FAILED: Final = 0", _VERBS),
    Break("a damaged download is a film", "len(expected) == 64 and A_", "False", _VERBS),
    Break("a stream begins anew", "last = event_id or last", "last = None", _VERBS),
    Break("an export takes the stack from another", "supervisor and lease.becomes_exclusive()", "supervisor", "tests/cli/test_shared_stack.py"),
    Break("a stack nobody uses lives on", "_stop_when_unused(A_, B_)", "asyncio.sleep(1e6)", "tests/cli/test_shared_stack.py"),
    Break("a bare installation raises", "sys.stderr.write(_HELP.format(missing=A_))", "print(1 / 0)", "tests/installs/test_wheel.py -k bare"),
    Break("an outage spends an attempt", "self.state.begun - self.state.waited", "self.state.begun",
          "tests/activities/test_failures.py"),
    Break("cancelled work says nothing", "_given_up(pulse) if _is_cancelled_for_good() else error", "error",
          "tests/activities/test_activities.py"),
    Break("failures of any size", "len(data) <= size", "True", "tests/activities/test_failures.py"),
    Break("clocks decide who is alive", "one.beat_at + one.behind", "one.beat_at", "tests/unit/test_roll.py"),
    Break("nobody knows of workers is nobody there", "set() if seen.live_queues is None else A_", "A_",
          "tests/unit/test_status.py"),
    Break("what waits is not taken back", "handle.cancel()", "pass", "tests/workflows/test_servers.py"),
]  # fmt: skip

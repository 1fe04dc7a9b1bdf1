"""Asking a training to finish: by a signal to its process, or a file in its folder."""

import os
import signal
import threading

from etpicker_plugin.engine.training.finish_request import FinishRequest


def test_a_file_asks_until_it_is_forgotten(tmp_path):
    with FinishRequest(tmp_path) as request:
        assert not request.is_made()
        (tmp_path / "finish").touch()
        assert request.is_made()
        request.forget()
        assert not request.is_made()
    assert str(tmp_path / "finish") in request.how()


def test_a_signal_asks_and_is_heard_only_meanwhile(tmp_path):
    heard = []
    former = signal.signal(signal.SIGUSR1, lambda *_: heard.append(1))
    try:
        with FinishRequest(tmp_path) as request:
            os.kill(os.getpid(), signal.SIGUSR1)
            assert request.is_made()
        os.kill(os.getpid(), signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, former)
    assert heard == [1]
    assert not FinishRequest(tmp_path).is_made()


def test_in_a_thread_it_listens_to_the_file_alone(tmp_path):
    asked = []

    def work():
        with FinishRequest(tmp_path) as request:
            (tmp_path / "finish").touch()
            asked.append(request.is_made())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert asked == [True]

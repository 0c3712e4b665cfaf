"""Fetching from a real server on loopback: what is polite, and every limit."""

from __future__ import annotations

import gzip
import json
import logging
import socket
import ssl
import threading
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpcore
import pytest
import trustme
from conftest_names import Listener, Website

from newsletter.errors import ConfigurationError, SourceError
from newsletter.gather import fetching, open_source
from newsletter.gather.network import InsideAddressError, VettedNetwork, is_outside
from newsletter.plan.values import SourcePlan
from newsletter.ports import Fetched, SourceState

FEED = (Path(__file__).parent / "fixtures" / "no-guid.xml").read_bytes()
DESK = Path("/nonexistent")


def poll(plan: SourcePlan, now: datetime, state: SourceState | None = None) -> Fetched:
    return open_source(plan, DESK).fetch(state or SourceState(), now)

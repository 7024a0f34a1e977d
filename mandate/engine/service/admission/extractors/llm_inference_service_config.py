"""LLMInferenceServiceConfigs of KServe: what LLMInferenceServices can be based on."""

from __future__ import annotations

from .kind import Kind
from .llm_inference_service import extract

KIND = Kind("serving.kserve.io", "LLMInferenceServiceConfig", extract)

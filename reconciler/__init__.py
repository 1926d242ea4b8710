"""Declarative GitOps spec compiler and reconciler for AI compute."""

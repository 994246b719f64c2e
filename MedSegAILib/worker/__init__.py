"""The process boundary: a client without heavy imports, and the server that computes. Ring 7 (worker).

The client side (``client``, ``process``, ``private_folder``, ``transfer``, ``protocol``, ``bootstrap``,
``post_mortem``) imports ``core`` only; ``server`` may import the whole library, late.
"""

"""The Open Inference Protocol over gRPC, beside the routes; needs the extra `grpc`.

messages.py     the messages and the service, as Triton numbers their fields
service.py      its methods
listening.py    the server: its port, health, reflection, end
"""
